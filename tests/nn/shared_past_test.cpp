// Rows that share their past against the same rows computed one by one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nn/op_check.hpp"
#include "nn/running_mean.hpp"
#include "nn/step/train_step.hpp"
#include "nn/toy_network.hpp"
#include "recloom/core/error.hpp"
#include "recloom/plugin/registry.hpp"

namespace recloom::nn {
namespace {

constexpr Catalogue kCatalogue{5, 23, 6};

/// Item and position vectors, a causal op, what belongs to the row behind it.
struct Causal {
  ToyNetwork network{kCatalogue};
  Embedding items{network.at("items"), kCatalogue.n_items, 4, normal(0.3), PaddingRow::trained},
      positions{network.at("positions"), kCatalogue.max_length, 4, normal(0.3),
                PaddingRow::trained},
      users{network.at("users"), kCatalogue.n_users, 4, normal(0.3)};
  Parameter rate = network.parameter("rate", {1}, ones());
  LayerNorm norm{network.at("norm"), 4, 1e-6};
  Gru gru{network.at("gru"), 4, 4, {.layers = 2}};
  Linear inner{network.at("inner"), 4, 8}, out{network.at("out"), 12, 4};
  std::shared_ptr<RunningMean> mean = std::make_shared<RunningMean>();
  double dropout_before = 0, dropout_behind = 0.3;

  Causal() {
    network.parameters().initialise(3);
    network.head = {.tables = {items.weight}};
    network.on_forward = [this](const Inputs& in) {
      const History history = in.history();
      const Var x = (items(history.ids()) + positions(history.positions())) * history.mask();
      const Var h = tanh(inner(norm(gru(call(mean, dropout(x, dropout_before), rate)))));
      const Var last =
          history.last(concat(slice(h, 0, 4), slice(h, 4, 4))) * power(history.length(), -0.5);
      return tanh(out(dropout(concat(last, users(in.user())), dropout_behind)));
    };
  }
};

/// Events of three users, and rows as they may stand in a batch: whole prefixes, windows that begin
/// later, histories longer than L, gaps, rows twice.
struct Rows {
  std::vector<ItemId> events;
  std::vector<Batch::Entry> entries;
  std::vector<ItemId> negatives;

  explicit Rows(std::int32_t n_targets = 1) {
    Rng rng = Rng(2).fork("events");
    for (int event = 0; event < 36; ++event)
      events.push_back(static_cast<ItemId>(1 + rng.below(kCatalogue.n_items - 1)));
    const auto add = [&](UserId user, std::int64_t begin, std::int32_t first, std::int32_t last) {
      for (std::int32_t k = first; k <= last; ++k) entries.push_back({begin, k, n_targets, user});
    };
    add(1, 0, 1, 11);  // the whole user: 6 rows share, 5 see a cut history each
    add(2, 12, 1, 5);  // a window
    add(2, 17, 1, 5);  // the next one
    add(3, 26, 3, 6);  // a window whose first rows stand elsewhere
    add(3, 24, 2, 2);
    add(3, 24, 4, 5);
    add(3, 24, 5, 6);
    for (std::size_t e = 0; e < 2 * entries.size(); ++e)
      negatives.push_back(static_cast<ItemId>(1 + rng.below(kCatalogue.n_items - 1)));
  }
  Batch batch() const { return {events, entries, kCatalogue.max_length, negatives}; }
};

StepOptions options_of(const std::string& loss, bool share, int shard_rows, std::size_t rows) {
  StepOptions options;
  options.loss = loss;
  options.n_negatives = 2;
  options.batch_size = static_cast<int>(rows);
  options.shard_rows = shard_rows;
  options.share_past = share;
  return options;
}

/// Loss, then every gradient.
std::vector<float> results(NetworkRecommender& network, const Batch& rows,
                           const StepOptions& options, int threads = 1) {
  TrainStep step(network, options);
  RunContext run(1, threads);
  const StepResult r = step.compute_gradients(rows, {5, 1, 0}, run);
  std::vector<float> all{static_cast<float>(r.loss + r.penalty)};
  for (std::size_t p = 0; p < network.parameters().size(); ++p) {
    const auto gradient = step.gradient(network.parameters()[p].name());
    all.insert(all.end(), gradient.begin(), gradient.end());
  }
  return all;
}
std::vector<float> results(Causal& causal, const Batch& rows, const StepOptions& options,
                           int threads = 1) {
  return results(causal.network, rows, options, threads);
}

void expect_near(const std::vector<float>& got, const std::vector<float>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t e = 0; e < got.size(); ++e) ASSERT_NEAR(got[e], expected[e], 2e-6) << e;
}

TEST(SharedPast, GivesWhatRowsOnTheirOwnGive) {
  const Rows rows;
  for (const char* loss : {"CE", "BPR", "BCE"}) {
    Causal causal;
    const std::vector<float> expected =
        results(causal, rows.batch(), options_of(loss, false, 256, rows.entries.size()));
    for (const int shard_rows : {1, 4, 7, 256}) {
      SCOPED_TRACE(std::string(loss) + " " + std::to_string(shard_rows));
      expect_near(
          results(causal, rows.batch(), options_of(loss, true, shard_rows, rows.entries.size())),
          expected);
    }
  }
}

TEST(SharedPast, ServesSeveralTargets) {
  const Rows rows(3);
  for (const char* loss : {"CE", "BPR", "BCE"}) {
    Causal causal;
    StepOptions options = options_of(loss, false, 256, rows.entries.size());
    options.n_targets = 3;
    const std::vector<float> expected = results(causal, rows.batch(), options);
    options.share_past = true;
    options.shard_rows = 4;
    expect_near(results(causal, rows.batch(), options), expected);
  }
}

TEST(SharedPast, IsComputedOnce) {
  const Rows rows;
  std::size_t vectors = 0;
  const auto histories = [&](bool share, int shard_rows) {
    Causal causal;
    results(causal, rows.batch(), options_of("CE", share, shard_rows, rows.entries.size()));
    vectors = causal.mean->vectors;
    return causal.mean->histories.load();
  };
  EXPECT_EQ(histories(false, 256), rows.entries.size());
  EXPECT_EQ(vectors, rows.entries.size() * 6) << "the longest has as many items";
  // Of user 1 a row for items 1..6 and five cut ones, two windows, and four pieces of user 3.
  EXPECT_EQ(histories(true, 256), 1 + 5 + 2 + 4U);
  EXPECT_EQ(histories(true, 4), 1 + 5 + 2 + 4U) << "a shard cuts what rows share";
  EXPECT_LT(vectors, (1 + 5 + 2 + 4) * 6U) << "a shard of short histories has fewer positions";
}

TEST(SharedPast, GradientsAgreeWithDifferences) {
  const Rows rows;
  Causal causal;
  check_differences(causal.network, options_of("BPR", true, 7, rows.entries.size()), rows.batch());
}

TEST(SharedPast, BitsDoNotDependOnThreads) {
  const Rows rows;
  Causal causal;
  causal.dropout_before = 0.2;
  for (const int shard_rows : {1, 4, 256}) {
    const StepOptions options = options_of("CE", true, shard_rows, rows.entries.size());
    const std::vector<float> one = results(causal, rows.batch(), options);
    for (const int threads : {2, 4})
      EXPECT_EQ(results(causal, rows.batch(), options, threads), one) << shard_rows;
  }
}

TEST(SharedPast, DrawsDropoutOnceForRowsThatShare) {
  const Rows rows;
  Causal causal;
  causal.dropout_before = 0.4;
  const std::size_t n = rows.entries.size();
  const std::vector<float> shared = results(causal, rows.batch(), options_of("CE", true, 256, n));
  expect_near(results(causal, rows.batch(), options_of("CE", true, 4, n)), shared);
  EXPECT_GT(std::abs(shared[0] - results(causal, rows.batch(), options_of("CE", false, 256, n))[0]),
            1e-4F);
  // A row that shares with nobody draws as ever.
  const Batch alone = rows.batch().rows(8, 1);
  expect_near(results(causal, alone, options_of("CE", true, 256, 1)),
              results(causal, alone, options_of("CE", false, 256, 1)));
}

/// What is in the way of sharing for a forward pass.
std::string obstacle(const std::function<Var(const Causal&, const Inputs&)>& forward,
                     const std::function<Loss(const Causal&, const Inputs&)>& loss = {}) {
  Causal causal;
  causal.network.on_forward = [&](const Inputs& in) { return forward(causal, in); };
  if (loss) causal.network.on_loss = [&](const Inputs& in) { return loss(causal, in); };
  StepOptions options;
  options.share_past = true;
  const std::string found = obstacle_to_sharing(causal.network, options);
  if (found.empty())
    EXPECT_NO_THROW(TrainStep(causal.network, options));
  else
    EXPECT_THROW(TrainStep(causal.network, options), ModelError);
  return found;
}

/// Own op without a word about its reach.
class Silent final : public Op {
 public:
  std::string_view name() const noexcept override { return "silent"; }
  Shape output_shape(const OpShapes& shapes) const override { return shapes.inputs[0]; }
  void forward(const OpForward&) const override {}
  void backward(const OpBackward&) const override {}
};

TEST(SharedPast, IsRefusedWhereAnOpMayLookAhead) {
  const auto x = [](const Causal& c, const Inputs& in) { return c.items(in.history().ids()); };
  const auto ahead = [](const std::string& op) {
    return "op '" + op + "' may look at any position, not at the past alone";
  };
  EXPECT_EQ(obstacle([&](auto& c, auto& in) { return sum_over_time(x(c, in)); }),
            ahead("sum_over_time"));
  EXPECT_EQ(obstacle([&](auto& c, auto& in) { return take(x(c, in), -1); }), ahead("select"));
  EXPECT_EQ(obstacle([&](auto& c, auto& in) {
              return in.history().last(call(std::make_shared<Silent>(), x(c, in)).named("mine"));
            }),
            ahead("mine"));
  EXPECT_EQ(obstacle([&](auto& c, auto& in) {
              const Var weights = softmax(sum(x(c, in)));  // over the L positions
              return in.history().last(x(c, in) * column(weights));
            }),
            ahead("softmax"));
  EXPECT_EQ(obstacle([&](auto& c, auto& in) { return slice(flatten(x(c, in)), 0, 4); }),
            ahead("flatten"));
}

TEST(SharedPast, IsRefusedWhereAVectorOverTimeIsRepeated) {
  // L = 6 vectors of 6: [L] fits the last axis of [L, 6], and would carry times over to columns.
  Causal causal;
  const Embedding square(causal.network.at("square"), kCatalogue.n_items, 6, zeros());
  causal.network.on_forward = [&](const Inputs& in) {
    const Var x = square(in.history().ids());
    return in.history().last(slice(x + sum(x), 0, 4));
  };
  EXPECT_EQ(obstacle_to_sharing(causal.network, {}),
            "op 'add' may look at any position, not at the past alone");
}

TEST(SharedPast, IsRefusedWhereRowsAndPositionsMeet) {
  EXPECT_EQ(obstacle([](auto& c, auto& in) {
              const Var x = c.items(in.history().ids()), user = c.users(in.user()).named("who");
              return in.history().last(x + user);
            }),
            "op 'add' joins positions with 'who', which belongs to a whole row");
  EXPECT_EQ(obstacle([](auto& c, auto& in) {
              const auto gaps = in.derive("gaps", 6, [](auto&, auto) {});
              const Var x = c.items(in.history().ids()), gap = c.positions(gaps).named("gap");
              return in.history().last(x + gap);
            }),
            "op 'add' joins positions with 'gap', which belongs to a whole row");
  EXPECT_EQ(obstacle([](auto& c, auto& in) {
              const auto left = in.history(Padding::left);
              return left.last(c.items(left.ids()));
            }),
            "histories are padded left, so where an item stands depends on what comes later");
  EXPECT_EQ(
      obstacle([](auto& c, auto& in) { return in.history().last(c.items(in.history().ids())); },
               [](auto& c, auto& in) {
                 const Var x = c.items(in.history().ids()).named("x");
                 return in.loss(in.history().last(x), c.network.head) + emb_loss(x);
               }),
      "the loss looks at 'x', which runs over positions");
  EXPECT_EQ(obstacle([](auto& c, auto& in) {
              const auto history = in.history();
              const Var p = c.positions(history.positions()).named("p");
              const Var last = history.last(c.items(history.ids()) + p);
              return last + take(p, 0);
            }),
            "op 'select.2' takes 'p', which runs over positions, into a whole row");
}

TEST(SharedPast, NeedsNoHistoryAtAll) {
  EXPECT_EQ(obstacle([](auto& c, auto& in) { return c.users(in.user()); }), "");
  EXPECT_EQ(obstacle([](auto& c, auto& in) { return c.items(in.history().last_item()); }), "");
}

/// Checks that a plugin's network, without dropout, gives the same with a shared past.
void check_plugin(const std::string& name, const Params& params) {
  const Model model = PluginRegistry().create(name, params, kCatalogue);
  auto& network = dynamic_cast<NetworkRecommender&>(*model);
  network.parameters().initialise(1);
  EXPECT_EQ(obstacle_to_sharing(network, {}), "");
  const Rows rows;
  const auto of = [&](bool share) {
    return results(network, rows.batch(), options_of("CE", share, 7, rows.entries.size()), 2);
  };
  expect_near(of(true), of(false));
}

TEST(SharedPast, GivesWhatRowsOnTheirOwnGiveForGRU4Rec) {
  check_plugin("gru4rec", {{"dropout_prob", 0.0}});
}

TEST(SharedPast, GivesWhatRowsOnTheirOwnGiveForSASRec) {
  check_plugin("sasrec", {{"hidden_dropout_prob", 0.0}, {"attn_dropout_prob", 0.0}});
}

TEST(SharedPast, IsRefusedForCaser) {
  const Model caser = PluginRegistry().create("caser", {}, kCatalogue);
  EXPECT_EQ(obstacle_to_sharing(dynamic_cast<NetworkRecommender&>(*caser), {}),
            "op 'time_mix' may look at any position, not at the past alone");
}

}  // namespace
}  // namespace recloom::nn
