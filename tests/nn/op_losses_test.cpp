#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "nn/op_check.hpp"
#include "nn/step/softmax_head_run.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

double dot_of(const Values& a, const Values& b) {
  double total = 0;
  for (std::size_t e = 0; e < a.size(); ++e) total += a[e] * b[e];
  return total;
}
double mean_of(const std::vector<NaiveRow>& rows, const std::function<double(const NaiveRow&)>& f) {
  double total = 0;
  for (const NaiveRow& row : rows) total += f(row);
  return total / static_cast<double>(rows.size());
}
double naive_cross_entropy(const Values& logits, int target) {
  double total = 0;
  for (const double logit : logits) total += std::exp(logit);
  return std::log(total) - logits[static_cast<std::size_t>(target)];
}

/// The score of item i: scale * (v . items[i] + mean of x . other[i]) + bias[i].
Values naive_logits(const NaiveRow& n, double scale, bool other, bool bias) {
  Values logits;
  for (int i = 0; i < kItems; ++i) {
    double score = dot_of(n.v(), n.row_of("items", i));
    if (other) score += dot_of(n.row_of("items", n.history()[0]), n.row_of("other", i));
    logits.push_back(scale * score + (bias ? n.p("bias")[static_cast<std::size_t>(i)] : 0));
  }
  return logits;
}
struct HeadForm {
  double scale;
  bool other, bias;
};
ItemHead head_of(const Recorder& r, const HeadForm& form) {
  ItemHead head{{r.p("items")}};
  if (form.other) head.tables.push_back(r.p("other"));
  if (form.bias) head.bias = r.p("bias");
  head.scale = static_cast<float>(form.scale);
  return head;
}
Var query_of(const Recorder& r, const HeadForm& form) {
  return form.other ? concat(r.v(), take(r.x(), 0)) : r.v();
}
constexpr HeadForm kForms[] = {
    {1, false, false}, {1, false, true}, {2.5, false, false}, {1, true, false}, {0.5, true, true}};

std::vector<ParameterSpec> head_parameters(const Shape& bias) {
  return {{"other", {kItems, kSize}}, {"bias", bias}};
}

/// A step over all items with the real loss: values against the reference, gradients against
/// differences of the reference.
void check_head(const HeadForm& form, int n_items, const std::vector<std::size_t>& elements) {
  SCOPED_TRACE(n_items);
  const Catalogue catalogue{kUsers, n_items, kLength};
  ToyNetwork network(catalogue);
  const Parameter items = network.parameter("items", {n_items, kSize}, zeros()),
                  other = network.parameter("other", {n_items, kSize}, zeros()),
                  bias = network.parameter("bias", {n_items}, zeros()),
                  users = network.parameter("users", {kUsers, kSize}, zeros());
  fill_all(network, -1, 1);
  network.on_loss = [&](const Inputs& in) {
    const Recorder r{network, in};
    return in.loss(query_of(r, form), head_of(r, form));
  };
  ToyRows rows(kLength);
  for (int r = 0; r < 7; ++r)
    rows.add(static_cast<UserId>(r % kUsers), {static_cast<ItemId>(1 + r % 5)},
             static_cast<ItemId>(1 + (r * 977) % (n_items - 1)));
  StepOptions options;
  options.batch_size = 7;
  options.shard_rows = 3;
  TrainStep step(network, options);
  RunContext run(1, 2);
  step.compute_gradients(rows.batch(), {}, run);  // nothing of it may be left in the next
  const StepResult result = step.compute_gradients(rows.batch(), {}, run);
  const auto product = [](const Values& a, int i, const Values& b, int j) {
    const double *p = a.data() + i * kSize, *q = b.data() + j * kSize;
    return p[0] * q[0] + p[1] * q[1] + p[2] * q[2];
  };
  const auto doubles = [](Parameter p) { return Values(p.values().begin(), p.values().end()); };
  Values table = doubles(items), second = doubles(other), biases = doubles(bias),
         people = doubles(users);
  const auto loss = [&] {
    double total = 0;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const Row row = rows.batch()[r];
      Values logits;
      logits.reserve(static_cast<std::size_t>(n_items));
      for (int i = 0; i < n_items; ++i) {
        double score = product(people, row.user, table, i);
        if (form.other) score += product(table, row.history[0], second, i);
        logits.push_back(form.scale * score +
                         (form.bias ? biases[static_cast<std::size_t>(i)] : 0));
      }
      total += naive_cross_entropy(logits, row.targets[0]);
    }
    return total / static_cast<double>(rows.size());
  };
  EXPECT_NEAR(result.loss, loss(), 1e-6 * std::max(1.0, loss()));
  const std::pair<const char*, Values*> all[] = {
      {"items", &table}, {"other", &second}, {"bias", &biases}, {"users", &people}};
  for (const auto& [name, values] : all)
    for (const std::size_t element : elements) {
      if (element >= values->size()) continue;
      double& value = (*values)[element];
      const double centre = value;
      value = centre + 1e-4;
      const double up = loss();
      value = centre - 1e-4;
      const double down = loss();
      value = centre;
      const auto gradient = step.gradient(name);
      EXPECT_NEAR(gradient.empty() ? 0 : gradient[element], (up - down) / 2e-4, 1e-6)
          << name << "[" << element << "]";
    }
}

TEST(Losses, CrossEntropyOfSmallCatalogues) {
  std::vector<std::size_t> all(kItems * kSize);
  for (std::size_t e = 0; e < all.size(); ++e) all[e] = e;
  for (const HeadForm& form : kForms) check_head(form, kItems, all);
}

TEST(Losses, CrossEntropyOfLargeCatalogues) {
  // Beyond kSmallCatalogue ranges of items are worked on apart; three ranges here, the last of them
  // cut short. Elements: first and last rows, both sides of a range's border, targets.
  constexpr int n_items = SoftmaxHeadRun::kSmallCatalogue + 100;
  const std::vector<std::size_t> elements{0,
                                          3,
                                          16,
                                          2934,
                                          (SoftmaxHeadRun::kSmallCatalogue / 2) * kSize - 1,
                                          (SoftmaxHeadRun::kSmallCatalogue / 2) * kSize,
                                          n_items - 1,
                                          n_items * kSize - 1};
  for (const HeadForm& form : {kForms[0], kForms[4]}) check_head(form, n_items, elements);
}

TEST(Losses, LargeAndSmallCatalogueAgree) {
  // The same problem on both sides of the border: items beyond have a bias of -1e4, so no weight.
  const auto run_with = [](int n_items) {
    ToyNetwork network({kUsers, n_items, kLength});
    const Embedding items(network.at("items"), n_items, 8, normal(0.3)),
        users(network.at("users"), kUsers, 8, normal(0.3));
    const Parameter bias = network.parameter("bias", {n_items}, zeros());
    network.parameters().initialise(3);
    std::vector<float> biases(static_cast<std::size_t>(n_items), -1e4F);
    std::fill_n(biases.begin(), 50, 0.0F);
    bias.assign(biases);
    network.on_forward = [&](const Inputs& in) { return users(in.user()); };
    network.head = {.tables = {items.weight}, .bias = bias};
    const ToyRows rows = random_rows({kUsers, 50, kLength}, 300);
    StepOptions options;
    options.batch_size = 300;
    TrainStep step(network, options);
    RunContext run(1, 2);
    const double loss = step.compute_gradients(rows.batch(), {}, run).loss;
    const auto gradient = step.gradient("users.weight");
    return std::pair(loss, std::vector<float>(gradient.begin(), gradient.end()));
  };
  const auto small = run_with(100), large = run_with(SoftmaxHeadRun::kSmallCatalogue + 1);
  EXPECT_NEAR(small.first, large.first, 1e-6);
  for (std::size_t e = 0; e < small.second.size(); ++e)
    EXPECT_NEAR(small.second[e], large.second[e], 1e-7);
}

TEST(Losses, Bpr) {
  for (const HeadForm& form : kForms)
    for (const int negatives : {1, 3})
      check(LossCase{"BPR", head_parameters({kItems}),
                     [&](const Recorder& r) {
                       const Var q = query_of(r, form);
                       const ItemHead head = head_of(r, form);
                       return bpr_loss(r.in.score(q, head, r.in.targets()),
                                       r.in.score(q, head, r.in.negatives()));
                     },
                     [&](const std::vector<NaiveRow>& rows) {
                       return mean_of(rows, [&](const NaiveRow& n) {
                         const Values s = naive_logits(n, form.scale, form.other, form.bias);
                         double total = 0;
                         for (const ItemId item : n.row.negatives) {
                           const double p = s[static_cast<std::size_t>(n.row.targets[0])] -
                                            s[static_cast<std::size_t>(item)];
                           total -= std::log(1e-10 + 1 / (1 + std::exp(-p)));
                         }
                         return total / static_cast<double>(n.row.negatives.size());
                       });
                     },
                     negatives});
}

TEST(Losses, Bce) {
  for (const HeadForm& form : kForms)
    for (const int negatives : {1, 3})
      check(LossCase{"BCE", head_parameters({kItems, 1}),
                     [&](const Recorder& r) {
                       return r.in.loss(query_of(r, form), head_of(r, form));  // the harness's loss
                     },
                     [&](const std::vector<NaiveRow>& rows) {
                       return mean_of(rows, [&](const NaiveRow& n) {
                         const Values s = naive_logits(n, form.scale, form.other, form.bias);
                         const auto softplus = [](double x) { return std::log1p(std::exp(x)); };
                         double total = softplus(-s[static_cast<std::size_t>(n.row.targets[0])]);
                         for (const ItemId item : n.row.negatives)
                           total += softplus(s[static_cast<std::size_t>(item)]);
                         return total;
                       });
                     },
                     negatives});
}

double softplus_of(double x) { return std::log1p(std::exp(x)); }

TEST(Losses, Gbce) {
  for (const HeadForm& form : kForms)
    for (const int negatives : {1, 3}) {
      // The formula as the paper writes it; 5 items are neither padding nor target.
      const double alpha = negatives / 5.0, t = 0.6;
      const double beta = alpha * (t * (1 - 1 / alpha) + 1 / alpha);
      check(LossCase{"gBCE", head_parameters({kItems}),
                     [&](const Recorder& r) {
                       const Var q = query_of(r, form);
                       const ItemHead head = head_of(r, form);
                       return gbce_loss(r.in.score(q, head, r.in.targets()),
                                        r.in.score(q, head, r.in.negatives()),
                                        gbce_beta(negatives, kItems, t));
                     },
                     [&](const std::vector<NaiveRow>& rows) {
                       return mean_of(rows, [&](const NaiveRow& n) {
                         const Values s = naive_logits(n, form.scale, form.other, form.bias);
                         double total =
                             beta * softplus_of(-s[static_cast<std::size_t>(n.row.targets[0])]);
                         for (const ItemId item : n.row.negatives)
                           total += softplus_of(s[static_cast<std::size_t>(item)]);
                         return total;
                       });
                     },
                     negatives});
    }
}

TEST(Losses, SampledSoftmax) {
  const std::vector<float> log_q{0, -1, -2.5F, -0.5F, -3, -2, -1.5F};
  for (const HeadForm& form : kForms)
    for (const int negatives : {1, 3})
      check(LossCase{"sampled_softmax", head_parameters({kItems}),
                     [&](const Recorder& r) {
                       const Var q = query_of(r, form);
                       const ItemHead head = head_of(r, form);
                       return sampled_softmax_loss(r.in.score(q, head, r.in.targets()),
                                                   r.in.score(q, head, r.in.negatives()),
                                                   r.in.targets(), r.in.negatives(), log_q);
                     },
                     [&](const std::vector<NaiveRow>& rows) {
                       return mean_of(rows, [&](const NaiveRow& n) {
                         Values s = naive_logits(n, form.scale, form.other, form.bias);
                         for (std::size_t i = 0; i < s.size(); ++i) s[i] -= log_q[i];
                         const auto target = static_cast<std::size_t>(n.row.targets[0]);
                         double total = std::exp(s[target]);
                         for (const ItemId item :
                              n.row.negatives)  // the last row has an accidental hit
                           if (item != n.row.targets[0])
                             total += std::exp(s[static_cast<std::size_t>(item)]);
                         return std::log(total) - s[target];
                       });
                     },
                     negatives});
}

/// Loss and all gradients of a network whose loss the config chooses.
std::vector<double> step_with(const StepOptions& options, int n_negatives, int n_items = 300,
                              int threads = 1) {
  const Catalogue catalogue{kUsers, n_items, kLength};
  ToyNetwork network(catalogue);
  const Embedding items(network.at("items"), n_items, 8, normal(0.3)),
      users(network.at("users"), kUsers, 8, normal(0.3));
  network.parameters().initialise(3);
  network.on_forward = [&](const Inputs& in) { return users(in.user()); };
  network.head = {{items.weight}};
  const ToyRows rows = random_rows(catalogue, 50, static_cast<std::size_t>(n_negatives));
  TrainStep step(network, options);
  RunContext run(1, threads);
  std::vector<double> result{step.compute_gradients(rows.batch(), {}, run).loss};
  for (const char* name : {"items.weight", "users.weight"})
    result.insert(result.end(), step.gradient(name).begin(), step.gradient(name).end());
  return result;
}
StepOptions sampled_options(const char* loss, int n_negatives) {
  StepOptions options;
  options.loss = loss;
  options.n_negatives = n_negatives;
  options.batch_size = 50;
  options.shard_rows = 7;
  return options;
}

TEST(Losses, GbceWithoutCalibrationIsBce) {
  for (const int negatives : {1, 40}) {
    StepOptions options = sampled_options("gBCE", negatives);
    const std::vector<double> calibrated = step_with(options, negatives);
    options.gbce_t = 0;
    const std::vector<double> bce = step_with(sampled_options("BCE", negatives), negatives);
    EXPECT_EQ(step_with(options, negatives), bce);
    EXPECT_NE(calibrated, bce);
  }
}

TEST(Losses, BetaOfGbce) {
  EXPECT_DOUBLE_EQ(gbce_beta(256, 3418, 0), 1);
  EXPECT_DOUBLE_EQ(gbce_beta(256, 3418, 1), 256.0 / 3416);
  EXPECT_DOUBLE_EQ(gbce_beta(4, 10, 0.5), 0.75);  // alpha 1/2
  EXPECT_EQ(gbce_beta(100, 10, 0.75), 1);         // drawn with repetition: no more than all
  EXPECT_EQ(gbce_beta(1, 2, 0.75), 1);
}

TEST(Losses, AConstantOfTheProposalCancels) {
  StepOptions options = sampled_options("sampled_softmax", 5);
  const std::vector<double> without = step_with(options, 5);
  options.log_q.assign(300, -5.0F);
  const std::vector<double> with = step_with(options, 5);
  for (std::size_t e = 0; e < with.size(); ++e) EXPECT_NEAR(with[e], without[e], 1e-6);
}

TEST(Losses, SampledSoftmaxOverAllOtherItemsIsCrossEntropy) {
  // Every item but the target once: the sample is the catalogue (without the padding, whose
  // vector is far away).
  constexpr int n_items = 7;
  ToyNetwork network({kUsers, n_items, kLength});
  const Parameter items = network.parameter("items", {n_items, kSize}, zeros()),
                  bias = network.parameter("bias", {n_items}, zeros());
  const Embedding users(network.at("users"), kUsers, kSize, zeros());
  fill_all(network, -1, 1);
  std::vector<float> biases{-1e4F, 0.5F, 0, -0.5F, 0.25F, 1, 0};
  bias.assign(biases);
  network.on_forward = [&](const Inputs& in) { return users(in.user()); };
  network.head = {.tables = {items}, .bias = bias};
  ToyRows rows(kLength);
  rows.add(1, {2}, 3, {1, 2, 4, 5, 6});
  rows.add(2, {5}, 6, {5, 4, 3, 2, 1});
  const auto run_with = [&](const char* loss) {
    StepOptions options = sampled_options(loss, 5);
    TrainStep step(network, options);
    RunContext run(1, 1);
    std::vector<double> result{step.compute_gradients(rows.batch(), {}, run).loss};
    for (const char* name : {"items", "bias", "users.weight"})
      result.insert(result.end(), step.gradient(name).begin(), step.gradient(name).end());
    return result;
  };
  const std::vector<double> full = run_with("CE"), sampled = run_with("sampled_softmax");
  ASSERT_EQ(full.size(), sampled.size());
  for (std::size_t e = 0; e < full.size(); ++e) EXPECT_NEAR(sampled[e], full[e], 1e-6) << e;
}

TEST(Losses, SampledLossesHaveTheSameBitsForAnyNumberOfThreads) {
  for (const char* loss : {"BPR", "BCE", "gBCE", "sampled_softmax"})
    for (const int negatives : {1, 33}) {
      StepOptions options = sampled_options(loss, negatives);
      for (int i = 0; i < 300; ++i) options.log_q.push_back(-0.01F * static_cast<float>(i));
      const std::vector<double> one = step_with(options, negatives);
      for (const int threads : {2, 4})
        EXPECT_EQ(step_with(options, negatives, 300, threads), one) << loss;
    }
}

TEST(Losses, SampledSoftmaxOfLargeScoresStaysFinite) {
  for (const double scale : {1e4, -1e4, 1e30, -1e30}) {
    ToyNetwork network({kUsers, kItems, kLength});
    const Embedding users(network.at("users"), kUsers, 1, ones());
    network.parameters().initialise(1);
    network.on_loss = [&](const Inputs& in) {
      const Var v = users(in.user());
      return gbce_loss(scale * v, -scale * v, 0.5) +
             sampled_softmax_loss(scale * v, -scale * v, in.targets(), in.negatives());
    };
    for (const ItemId sampled : {2, 1}) {  // 1: nothing but the target is left
      ToyRows rows(kLength);
      rows.add(1, {1}, 1, {sampled});
      StepOptions options = sampled_options("sampled_softmax", 1);
      TrainStep step(network, options);
      RunContext run(1, 1);
      const StepResult result = step.compute_gradients(rows.batch(), {}, run);
      const double gbce = scale > 0 ? 0 : -1.5 * scale;
      const double softmax = scale > 0 || sampled == 1 ? 0 : -2 * scale;
      EXPECT_NEAR(result.loss, gbce + softmax, 1e-6 * std::abs(scale));
      EXPECT_TRUE(std::isfinite(result.gradient_norm));
    }
  }
}

TEST(Losses, PairwiseLossesOfLargeScoresStayFinite) {
  ToyNetwork network({kUsers, kItems, kLength});
  const Embedding users(network.at("users"), kUsers, 1, ones());
  network.parameters().initialise(1);
  for (const double scale : {1e4, -1e4}) {
    network.on_loss = [&](const Inputs& in) {
      const Var v = users(in.user());
      return bpr_loss(scale * v, column(flatten(-1 * v))) + bce_loss(scale * v, -scale * v);
    };
    ToyRows rows(kLength);
    rows.add(1, {1}, 1);
    StepOptions options;
    options.batch_size = 1;
    TrainStep step(network, options);
    RunContext run(1, 1);
    const StepResult result = step.compute_gradients(rows.batch(), {}, run);
    EXPECT_NEAR(result.loss, scale > 0 ? 0 : 2e4 - std::log(1e-10), 1e-2);
    EXPECT_TRUE(std::isfinite(result.gradient_norm));
  }
}

TEST(Losses, LogitsOfTheModelItself) {
  ToyNetwork network({kUsers, kItems, kLength});
  const Embedding users(network.at("users"), kUsers, kItems, zeros(), PaddingRow::trained);
  fill_all(network, -2, 2);
  network.on_forward = [&](const Inputs& in) { return users(in.user()); };
  const ToyRows rows = case_rows(2);
  double expected = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const Row row = rows.batch()[r];
    const auto logits =
        users.weight.values().subspan(static_cast<std::size_t>(row.user * kItems), kItems);
    expected += naive_cross_entropy({logits.begin(), logits.end()}, row.targets[0]) / 5;
  }
  for (const char* loss : {"CE", "BPR", "BCE", "gBCE", "sampled_softmax"}) {
    StepOptions options;
    options.loss = loss;
    options.n_negatives = 2;
    options.batch_size = 5;
    options.shard_rows = 2;
    RunContext run(1, 1);
    if (options.loss == "CE") {
      const StepResult result =
          TrainStep(network, options).compute_gradients(rows.batch(), {}, run);
      EXPECT_NEAR(result.loss, expected, 1e-6);
    }
    check_differences(network, options, rows.batch());
  }
}

TEST(Losses, WhatDoesNotFitIsRefused) {
  ToyNetwork network({kUsers, kItems, kLength});
  const Embedding users(network.at("users"), kUsers, 3, zeros());
  const Parameter table = network.parameter("table", {kItems, 4}, zeros()),
                  bias = network.parameter("bias", {kItems - 1}, zeros());
  const auto refused = [&](const char* text, const std::function<Loss(const Inputs&)>& loss,
                           const char* name = "CE") {
    network.on_loss = loss;
    try {
      StepOptions options;
      options.loss = name;
      TrainStep(network, options);
      ADD_FAILURE() << "no error, expected: " << text;
    } catch (const Error& e) {
      EXPECT_STREQ(e.what(), text);
    }
  };
  refused("item head: the query has shape [3], the item vectors have 4 columns",
          [&](const Inputs& in) { return in.loss(users(in.user()), {{table}}); });
  refused("item head: bias 'bias' has shape [6], it needs one number for each of 7 items",
          [&](const Inputs& in) {
            const Var v = users(in.user());
            return in.loss(concat(v, slice(v, 0, 1)), {.tables = {table}, .bias = bias});
          });
  refused("item head: table 'users.weight' has shape [4, 3], it needs one row for each of 7 items",
          [&](const Inputs& in) { return in.loss(users(in.user()), {{users.weight}}); });
  refused("item head: table 'table' stands in it twice", [&](const Inputs& in) {
    const Var v = users(in.user());
    return in.loss(concat(v, v, slice(v, 0, 2)), {{table, table}});
  });
  const auto cosine = [&](const Inputs& in) {
    const Var v = users(in.user());
    const ItemHead head{.tables = {table}, .similarity = Similarity::cosine};
    const Var q = concat(v, slice(v, 0, 1));
    return in.loss_name() == "CE" ? in.loss(q, head) : mean(in.score(q, head, in.targets()));
  };
  refused("item head: losses are there for the dot product only", cosine);
  refused("item head: losses are there for the dot product only", cosine, "BPR");
  refused(
      "item head: the query has shape [3], the item vectors have 4 columns",
      [&](const Inputs& in) { return in.loss(users(in.user()), {{table}}); }, "BPR");
  refused("gbce_loss: beta is 2, must be from 0 to 1", [&](const Inputs& in) {
    const Var v = users(in.user());
    return gbce_loss(slice(v, 0, 1), v, 2);
  });
  refused("sampled_softmax_loss: scores have shapes [1] and [3], their items [1] and [1]",
          [&](const Inputs& in) {
            const Var v = users(in.user());
            return sampled_softmax_loss(slice(v, 0, 1), v, in.targets(), in.targets());
          });
  refused(
      "train.loss = \"CBE\" is none of CE, BPR, BCE, gBCE, sampled_softmax",
      [&](const Inputs& in) {
        const Var v = users(in.user());
        return in.loss(concat(v, slice(v, 0, 1)), {{table}});
      },
      "CBE");
  refused("mean: 'lookup' has shape [3], a loss needs one number per row",
          [&](const Inputs& in) { return mean(users(in.user())); });
  refused("calculate_loss: no term depends on the rows",
          [&](const Inputs&) { return norm(table); });
}

}  // namespace
}  // namespace recloom::nn
