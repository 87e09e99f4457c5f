#include "nn/step/train_step.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "nn/graph/graph.hpp"
#include "nn/optim/optimizer.hpp"
#include "nn/passes/plan.hpp"
#include "nn/toy_network.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

constexpr Catalogue kCatalogue{9, 41, 6};

/// A network with an op of each way to a gradient: lookups, whole parameters, convolution, head,
/// penalties, dropout.
struct Everything {
  ToyNetwork network{kCatalogue};
  Embedding items{network.at("items"), kCatalogue.n_items, 8, normal(0.3)},
      users{network.at("users"), kCatalogue.n_users, 8, normal(0.3)};
  TimeConv conv{network.at("conv"), 8, 6, 2};
  Linear out{network.at("out"), 14, 8};
  Parameter bias = network.parameter("bias", {kCatalogue.n_items}, normal(0.1));

  explicit Everything(std::uint64_t seed = 1) {
    network.parameters().initialise(seed);
    network.head = {.tables = {items.weight}, .bias = bias};
    network.on_forward = [this](const Inputs& in) {
      const Var x = items(in.history().ids());
      const Var h = conv_max_over_time({&conv, 1}, x, Activation::relu);
      return tanh(out(dropout(concat(h, users(in.user())), 0.3)));
    };
    network.on_loss = [this](const Inputs& in) {
      const Var q = network.forward(in);
      return in.loss(q, network.head) + 0.01 * (norm(items.weight) + emb_loss(q));
    };
  }
};

StepOptions options_of(const std::string& loss, int batch_size, int shard_rows) {
  StepOptions options;
  options.loss = loss;
  options.n_negatives = 2;
  options.batch_size = batch_size;
  options.shard_rows = shard_rows;
  return options;
}

/// All bits that some steps leave behind: losses, parameters, optimizer state.
std::vector<double> trace(int threads, const std::string& loss, int batch_size, int shard_rows) {
  Everything e;
  TrainStep step(e.network, options_of(loss, batch_size, shard_rows));
  RunContext run(1, threads);
  std::vector<double> result;
  for (std::int64_t s = 0; s < 4; ++s) {
    // The last batch is smaller, as at the end of an epoch.
    const auto n = static_cast<std::size_t>(s == 3 ? std::max(1, batch_size / 3) : batch_size);
    const ToyRows rows =
        random_rows(kCatalogue, n, loss == "CE" ? 0 : 2, static_cast<std::uint64_t>(s) + 1);
    const StepResult r = step.run(rows.batch(), {5, 1, s}, 0.05, run);
    result.insert(result.end(), {r.loss, r.penalty, r.gradient_norm});
  }
  const std::vector<float> values = snapshot(e.network);
  result.insert(result.end(), values.begin(), values.end());
  for (const OptimizerTensor& t : step.optimizer().state())
    result.insert(result.end(), t.values.begin(), t.values.end());
  return result;
}

TEST(TrainStep, BitsDoNotDependOnThreads) {
  for (const char* loss : {"CE", "BPR", "BCE", "gBCE", "sampled_softmax"})
    for (const int batch_size : {1, 37, 601})
      for (const int shard_rows : {1, 7, 256}) {
        const std::vector<double> one = trace(1, loss, batch_size, shard_rows);
        for (const double value : one) ASSERT_TRUE(std::isfinite(value));
        for (const int threads : {2, 4}) {
          const std::vector<double> more = trace(threads, loss, batch_size, shard_rows);
          ASSERT_EQ(one.size(), more.size());
          EXPECT_EQ(std::memcmp(one.data(), more.data(), one.size() * sizeof(double)), 0)
              << loss << " batch " << batch_size << " shard " << shard_rows << " threads "
              << threads;
        }
      }
}

TEST(TrainStep, RepeatedRunGivesTheSameBits) {
  EXPECT_EQ(trace(2, "CE", 37, 7), trace(2, "CE", 37, 7));
}

/// Gradients of a batch whose rows may stand in another order or be cut otherwise.
std::vector<float> gradients_of(const Batch& rows, int shard_rows, double* loss) {
  Everything e;
  TrainStep step(e.network, options_of("CE", static_cast<int>(rows.size()), shard_rows));
  RunContext run(1, 2);
  const StepResult r = step.compute_gradients(rows, {5, 1, 0}, run);
  *loss = r.loss + r.penalty;
  std::vector<float> all;
  for (std::size_t p = 0; p < e.network.parameters().size(); ++p) {
    const auto gradient = step.gradient(e.network.parameters()[p].name());
    all.insert(all.end(), gradient.begin(), gradient.end());
  }
  return all;
}

TEST(TrainStep, OrderOfRowsAndShardsChangesRoundingOnly) {
  // Masks are keyed by the rows, so another order or cut is the same sum, rounded elsewhere.
  const ToyRows rows = random_rows(kCatalogue, 60);
  const Batch all = rows.batch();
  std::vector<Batch::Entry> reversed(all.entries().rbegin(), all.entries().rend());
  double loss = 0, other_loss = 0;
  const std::vector<float> expected = gradients_of(all, 256, &loss);
  const auto near = [&](const std::vector<float>& got) {
    EXPECT_NEAR(other_loss, loss, 1e-6);
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t e = 0; e < got.size(); ++e) ASSERT_NEAR(got[e], expected[e], 1e-6) << e;
  };
  near(gradients_of({all.events(), reversed, all.max_length()}, 256, &other_loss));
  for (const int shard_rows : {1, 7, 32}) near(gradients_of(all, shard_rows, &other_loss));
}

TEST(TrainStep, StepWithoutUpdateChangesNothing) {
  Everything e;
  const std::vector<float> before = snapshot(e.network);
  TrainStep step(e.network, options_of("CE", 10, 4));
  RunContext run(1, 1);
  const ToyRows rows = random_rows(kCatalogue, 10);
  const StepResult first = step.compute_gradients(rows.batch(), {}, run);
  const StepResult again = step.compute_gradients(rows.batch(), {}, run);
  EXPECT_EQ(first.loss, again.loss);
  EXPECT_EQ(first.gradient_norm, again.gradient_norm);
  EXPECT_EQ(snapshot(e.network), before);
}

TEST(TrainStep, LossFalls) {
  Everything e;
  TrainStep step(e.network, options_of("CE", 200, 64));
  RunContext run(1, 1);
  const ToyRows rows = random_rows(kCatalogue, 200);
  double first = 0, last = 0;
  for (std::int64_t s = 0; s < 60; ++s) {
    last = step.run(rows.batch(), {1, 1, s}, 0.02, run).loss;
    if (s == 0) first = last;
  }
  EXPECT_LT(last, 0.75 * first);
}

TEST(TrainStep, ClippingScalesAllGradientsTogether) {
  const ToyRows rows = random_rows(kCatalogue, 30);
  const auto change = [&](double clip, double* norm) {
    Everything e;
    const std::vector<float> before = snapshot(e.network);
    StepOptions options = options_of("CE", 30, 8);
    options.optimizer.kind = OptimizerKind::sgd;
    options.clip_norm = clip;
    TrainStep step(e.network, options);
    RunContext run(1, 1);
    *norm = step.run(rows.batch(), {}, 1, run).gradient_norm;
    std::vector<float> difference = snapshot(e.network);
    for (std::size_t i = 0; i < before.size(); ++i) difference[i] = before[i] - difference[i];
    return difference;
  };
  double norm = 0, clipped_norm = 0;
  const std::vector<float> full = change(0, &norm);
  double squares = 0;
  for (const float d : full) squares += static_cast<double>(d) * d;
  EXPECT_NEAR(std::sqrt(squares), norm, 1e-5);  // plain SGD with rate 1 moves by the gradient
  const double limit = norm / 4;
  const std::vector<float> clipped = change(limit, &clipped_norm);
  EXPECT_EQ(clipped_norm, norm);
  const double factor = limit / (norm + 1e-6);  // torch.nn.utils.clip_grad_norm_
  for (std::size_t i = 0; i < full.size(); ++i) EXPECT_NEAR(clipped[i], full[i] * factor, 1e-6);
}

TEST(TrainStep, UntrainedParametersStay) {
  ToyNetwork network(kCatalogue);
  const Parameter fixed =
      network.parameter("fixed", {kCatalogue.n_items, 4}, normal(1), Trained::no);
  const Embedding users(network.at("users"), kCatalogue.n_users, 4, normal(1));
  network.parameters().initialise(1);
  network.head = {{fixed}};
  network.on_forward = [&](const Inputs& in) { return users(in.user()); };
  const std::vector<float> before(fixed.values().begin(), fixed.values().end());
  TrainStep step(network, options_of("CE", 30, 8));
  RunContext run(1, 1);
  const ToyRows rows = random_rows(kCatalogue, 30);
  step.run(rows.batch(), {}, 0.1, run);
  EXPECT_TRUE(std::ranges::equal(before, fixed.values()));
  EXPECT_TRUE(step.gradient("fixed").empty());
  EXPECT_FALSE(step.gradient("users.weight").empty());
}

TEST(TrainStep, SparseAdamTouchesLookedUpRowsOnly) {
  ToyNetwork network(kCatalogue);
  const Embedding items(network.at("items"), kCatalogue.n_items, 4, normal(1)),
      users(network.at("users"), kCatalogue.n_users, 4, normal(1));
  network.parameters().initialise(1);
  network.head = {{items.weight}};
  network.on_forward = [&](const Inputs& in) { return users(in.user()); };
  StepOptions options = options_of("BPR", 2, 8);
  options.n_negatives = 1;
  options.optimizer.kind = OptimizerKind::sparse_adam;
  TrainStep step(network, options);
  RunContext run(1, 1);
  std::vector<float> before(items.weight.values().begin(), items.weight.values().end());
  const std::vector<std::pair<ItemId, ItemId>> steps{{3, 9}, {5, 9}};
  for (std::size_t s = 0; s < steps.size(); ++s) {
    ToyRows rows(kCatalogue.max_length);
    rows.add(1, {1, 2}, steps[s].first, {steps[s].second});
    step.run(rows.batch(), {1, 1, static_cast<std::int64_t>(s)}, 0.1, run);
    for (int item = 0; item < kCatalogue.n_items; ++item) {
      const bool touched = item == steps[s].first || item == steps[s].second;
      for (int e = 0; e < 4; ++e) {
        const auto at = static_cast<std::size_t>(item * 4 + e);
        EXPECT_EQ(items.weight.values()[at] != before[at], touched) << s << " item " << item;
      }
    }
    before.assign(items.weight.values().begin(), items.weight.values().end());
  }
}

TEST(TrainStep, OnlyTouchedRowsCarryAPenaltyWhenUpdatesAreSparse) {
  const auto gradient_of_items = [](OptimizerKind kind, double* norm) {
    ToyNetwork network(kCatalogue);
    const Embedding items(network.at("items"), kCatalogue.n_items, 4, normal(1)),
        users(network.at("users"), kCatalogue.n_users, 4, normal(1));
    network.parameters().initialise(1);
    network.head = {{items.weight}};
    network.on_loss = [&](const Inputs& in) {
      return in.loss(users(in.user()), network.head) + 0.5 * sum_squares(items.weight);
    };
    StepOptions options = options_of("BPR", 3, 2);
    options.optimizer.kind = kind;
    TrainStep step(network, options);
    RunContext run(1, 1);
    step.compute_gradients(random_rows(kCatalogue, 3, 2, 9).batch(), {}, run);  // leaves nothing
    *norm = step.compute_gradients(random_rows(kCatalogue, 3, 2, 1).batch(), {}, run).gradient_norm;
    const auto gradient = step.gradient("items.weight"), people = step.gradient("users.weight");
    double squares = 0;
    for (const float g : gradient) squares += static_cast<double>(g) * g;
    for (const float g : people) squares += static_cast<double>(g) * g;
    EXPECT_NEAR(*norm, std::sqrt(squares), 1e-6);
    return std::vector<float>(gradient.begin(), gradient.end());
  };
  double all_norm = 0, sparse_norm = 0;
  const std::vector<float> all = gradient_of_items(OptimizerKind::adam, &all_norm),
                           sparse = gradient_of_items(OptimizerKind::sparse_adam, &sparse_norm);
  const ToyRows rows = random_rows(kCatalogue, 3, 2, 1);
  std::vector<bool> touched(kCatalogue.n_items);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const Row row = rows.batch()[r];
    touched[static_cast<std::size_t>(row.targets[0])] = true;
    for (const ItemId item : row.negatives) touched[static_cast<std::size_t>(item)] = true;
  }
  for (std::size_t e = 0; e < all.size(); ++e)
    EXPECT_EQ(sparse[e], touched[e / 4] ? all[e] : 0.0F) << e;
  EXPECT_LT(sparse_norm, all_norm);
}

TEST(TrainStep, TransientGradientsTakeEachOthersPlace) {
  ToyNetwork network(kCatalogue);
  const Embedding users(network.at("users"), kCatalogue.n_users, 8, normal(0.3));
  const auto planned = [&](int depth) {
    Graph graph({.catalogue = kCatalogue});
    Var y = users(Inputs(&graph).user());
    for (int layer = 0; layer < depth; ++layer) y = tanh(y) + y;
    const std::array outputs{y.node()};
    const Plan plan(graph, {.outputs = outputs, .backward = true});
    return std::pair(plan.diffs_per_row(), plan.transient_per_row());
  };
  // Of a layer: those of its sum, its tanh and its input. What lasts: those of table and output.
  for (const int depth : {3, 30}) EXPECT_EQ(planned(depth), std::pair(2 * 8UL, 3 * 8UL)) << depth;
}

/// Adds to its gradients, as an op of a plugin does: they must be there.
class Doubled final : public Op {
 public:
  std::string_view name() const noexcept override { return "doubled"; }
  Shape output_shape(const OpShapes& shapes) const override { return shapes.inputs[0]; }
  void forward(const OpForward& c) const override {
    for (std::size_t e = 0; e < c.output.size(); ++e) c.output[e] = 2 * c.inputs[0][e];
  }
  void backward(const OpBackward& c) const override {
    for (std::size_t e = 0; e < c.output.size(); ++e) c.diff_inputs[0][e] += 2 * c.diff_output[e];
  }
};

// Memory of gradients is used again, and the first to write to it does not always add.
TEST(TrainStep, GradientsForgetThoseOfTheStepBefore) {
  Everything e;
  const auto doubled = std::make_shared<Doubled>();
  e.network.on_loss = [&](const Inputs& in) {
    const Var x = e.items(in.history().ids()), u = e.users(in.user());
    const Var read_once = activate(x, Activation::gelu), both = x + x, square = u * u;
    const Var flat = slice(flatten(read_once + both), 3, 8), unused = detach(tanh(u));
    const Var q = call(doubled, relu(flat)) + dropout(square, 0.2) + unused + flat;
    return in.loss(q, e.network.head) + 0.1 * (norm(flat) + emb_loss(u));
  };
  RunContext run(1, 1);
  const ToyRows first = random_rows(kCatalogue, 12, 2, 1),
                second = random_rows(kCatalogue, 9, 2, 2);
  for (const char* loss : {"CE", "BPR"}) {
    TrainStep used(e.network, options_of(loss, 12, 5)), fresh(e.network, options_of(loss, 12, 5));
    used.compute_gradients(first.batch(), {}, run);
    used.compute_gradients(second.batch(), {}, run);
    fresh.compute_gradients(second.batch(), {}, run);
    for (const char* name : {"items.weight", "users.weight"})
      EXPECT_TRUE(std::ranges::equal(used.gradient(name), fresh.gradient(name))) << name;
  }
}

TEST(TrainStep, BatchesThatDoNotFitAreRefused) {
  Everything e;
  TrainStep step(e.network, options_of("BPR", 4, 2));
  RunContext run(1, 1);
  const auto refused = [&](const ToyRows& rows) {
    EXPECT_THROW(step.run(rows.batch(), {}, 0.1, run), InternalError);
  };
  refused(random_rows(kCatalogue, 5, 2));  // larger than announced
  refused(ToyRows(6));                     // empty
  refused(random_rows(kCatalogue, 3, 0));  // no negatives
  refused(random_rows(kCatalogue, 3, 3));  // too many
  refused(random_rows({kCatalogue.n_users, kCatalogue.n_items, 60}, 3, 2));  // histories too long
}

}  // namespace
}  // namespace recloom::nn
