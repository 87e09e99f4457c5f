#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "nn/exec/shard.hpp"
#include "nn/graph/graph.hpp"
#include "nn/op_check.hpp"
#include "nn/passes/plan.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

constexpr int kWide = 200;

struct Fixture {
  ToyNetwork network{{kUsers, kItems, kLength}};
  Embedding users{network.at("users"), kUsers, kWide, ones(), PaddingRow::trained};
  ToyRows rows = random_rows({kUsers, kItems, kLength}, 23);
  Fixture() { network.parameters().initialise(1); }

  /// What dropout makes of ones, row by row.
  std::vector<float> run(const Batch& batch, const DrawKeys& keys, double p = 0.4,
                         bool training = true, int ops = 1) const {
    Graph graph({.catalogue = network.catalogue(), .training = training, .loss = "CE"});
    const Var v = users(Inputs(&graph).user());
    Var y = dropout(v, p);
    if (ops == 2) y = concat(y, dropout(v, p));
    const std::array outputs{y.node()};
    const Plan plan(graph, {.outputs = outputs});
    Shard shard(plan, batch.size());
    shard.load(batch, keys);
    shard.forward();
    const auto values = shard.value(y.node());
    return {values.begin(), values.end()};
  }
};

std::vector<float> row_of(const std::vector<float>& all, std::size_t row) {
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(row * kWide);
  return {begin, begin + kWide};
}

TEST(Dropout, KeepsAndScalesAShareOfOneMinusP) {
  const Fixture f;
  for (const double p : {0.1, 0.4, 0.9}) {
    const auto y = f.run(f.rows.batch(), {1, 1}, p);
    double kept = 0;
    for (const float value : y) {
      if (value == 0) continue;
      EXPECT_FLOAT_EQ(value, static_cast<float>(1 / (1 - p)));
      ++kept;
    }
    const auto n = static_cast<double>(y.size());
    EXPECT_NEAR(kept / n, 1 - p, 4 * std::sqrt(p * (1 - p) / n));  // four standard deviations
  }
}

TEST(Dropout, ScoringDropsNothing) {
  const Fixture f;
  for (const float value : f.run(f.rows.batch(), {1, 1}, 0.4, false)) EXPECT_EQ(value, 1);
}

TEST(Dropout, MaskBelongsToTheRowWhereverItStands) {
  const Fixture f;
  const Batch all = f.rows.batch();
  const auto together = f.run(all, {1, 1});
  for (std::size_t size : {1U, 3U, 10U})
    for (std::size_t first = 0; first + size <= all.size(); first += size) {
      const auto part = f.run(all.rows(first, size), {1, 1});
      for (std::size_t r = 0; r < size; ++r)
        EXPECT_EQ(row_of(part, r), row_of(together, first + r)) << first << " " << size;
    }
}

TEST(Dropout, MaskChangesWithSeedEpochRowAndOp) {
  const Fixture f;
  const Batch all = f.rows.batch();
  const auto first = f.run(all, {1, 1});
  EXPECT_NE(first, f.run(all, {2, 1}));
  EXPECT_NE(first, f.run(all, {1, 2}));
  EXPECT_NE(row_of(first, 0), row_of(first, 1));
  const auto both = f.run(all.rows(0, 1), {1, 1}, 0.4, true, 2);
  EXPECT_NE(row_of(both, 0), row_of(both, 1));
  EXPECT_EQ(row_of(both, 0), row_of(first, 0));
}

TEST(Dropout, SameNameTwiceIsTwoMasks) {
  const Fixture f;
  Graph graph({.catalogue = f.network.catalogue(), .training = true, .loss = "CE"});
  const Var v = f.users(Inputs(&graph).user());
  const Var y = concat(dropout(v, 0.5).named("drop"), dropout(v, 0.5).named("drop"));
  const std::array outputs{y.node()};
  const Plan plan(graph, {.outputs = outputs});
  Shard shard(plan, 1);
  shard.load(f.rows.batch().rows(0, 1), {1, 1});
  shard.forward();
  const auto values = shard.value(y.node());
  const std::vector<float> both(values.begin(), values.end());
  EXPECT_NE(row_of(both, 0), row_of(both, 1));
}

TEST(Dropout, GradientUsesTheSameMaskInEveryShardSize) {
  ToyNetwork network({kUsers, kItems, kLength});
  const Embedding users(network.at("users"), kUsers, 5, zeros(), PaddingRow::trained);
  fill_all(network, -1, 1);
  network.on_loss = [&](const Inputs& in) {
    return mean(sum(tanh(dropout(users(in.user()), 0.5)) * dropout(users(in.user()), 0.3)));
  };
  const ToyRows rows = random_rows({kUsers, kItems, kLength}, 11);
  std::vector<float> first;
  for (const int shard_rows : {1, 4, 256}) {
    StepOptions options;
    options.batch_size = 11;
    options.shard_rows = shard_rows;
    check_differences(network, options, rows.batch());
    TrainStep step(network, options);
    RunContext run(1, 2);
    step.compute_gradients(rows.batch(), {}, run);
    const auto gradient = step.gradient("users.weight");
    if (first.empty()) first.assign(gradient.begin(), gradient.end());
    for (std::size_t e = 0; e < first.size(); ++e) EXPECT_NEAR(gradient[e], first[e], 1e-6);
  }
}

TEST(Dropout, ProbabilityZeroIsTheInputAndOneIsRefused) {
  const Fixture f;
  Graph graph({.catalogue = f.network.catalogue(), .training = true, .loss = "CE"});
  const Var v = f.users(Inputs(&graph).user());
  EXPECT_EQ(dropout(v, 0).node(), v.node());
  for (const double p : {1.0, -0.1, std::nan("")}) EXPECT_THROW(dropout(v, p), ModelError);
}

}  // namespace
}  // namespace recloom::nn
