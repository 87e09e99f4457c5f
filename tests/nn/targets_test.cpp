// Rows of several targets: what they are, from rows of one.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "nn/op_check.hpp"
#include "nn/step/softmax_head_run.hpp"
#include "nn/step/train_step.hpp"
#include "nn/toy_network.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/modules.hpp"

namespace recloom::nn {
namespace {

constexpr int kTargets = 3;

/// Vectors of users against vectors of items, or logits of the network's own.
struct Toy {
  explicit Toy(int n_items, bool own_logits = false)
      : network({kUsers, n_items, kLength}),
        items(network.at("items"), n_items, 4, normal(0.5)),
        users(network.at("users"), kUsers, own_logits ? n_items : 4, normal(0.5)),
        bias(network.parameter("bias", {n_items}, normal(0.5))) {
    network.parameters().initialise(3);
    network.on_forward = [this](const Inputs& in) { return users(in.user()); };
    if (!own_logits)
      network.head = {.tables = {items.weight}, .bias = bias, .padding_row = PaddingRow::trained};
  }
  ToyNetwork network;
  Embedding items, users;
  Parameter bias;
};

/// Rows whose targets are `targets_of(row)`, with four negatives each.
struct Rows {
  template <class TargetsOf>
  Rows(std::size_t n, int n_items, TargetsOf targets_of) {
    Rng rng = Rng(5).fork("negatives");
    for (std::size_t row = 0; row < n; ++row) {
      const std::vector<ItemId> targets = targets_of(row);
      entries.push_back({static_cast<std::int64_t>(events.size()), 1,
                         static_cast<std::int32_t>(targets.size()),
                         static_cast<UserId>(1 + row % (kUsers - 1))});
      events.push_back(1);
      events.insert(events.end(), targets.begin(), targets.end());
      for (int k = 0; k < 4; ++k)
        negatives.push_back(static_cast<ItemId>(1 + rng.below(n_items - 1)));
    }
  }
  Batch batch() const { return {events, entries, kLength, negatives}; }

  std::vector<ItemId> events, negatives;
  std::vector<Batch::Entry> entries;
};

/// Target number t of a row; some are the same item twice.
ItemId target(std::size_t row, int t, int n_items) {
  return static_cast<ItemId>(1 + (row * 31 + static_cast<std::size_t>(t / 2) * 977) %
                                     static_cast<std::size_t>(n_items - 1));
}

std::vector<double> results(Toy& toy, const Rows& rows, StepOptions options) {
  options.n_negatives = 4;
  options.batch_size = static_cast<int>(rows.entries.size());
  options.shard_rows = 3;
  TrainStep step(toy.network, options);
  RunContext run(1, 2);
  std::vector<double> all{step.compute_gradients(rows.batch(), {}, run).loss};
  for (const char* name : {"items.weight", "users.weight", "bias"}) {
    const auto gradient = step.gradient(name);
    all.insert(all.end(), gradient.begin(), gradient.end());
  }
  return all;
}

void expect_mean_of_single_targets(const std::string& loss, int n_items, bool own_logits) {
  SCOPED_TRACE(loss + " over " + std::to_string(n_items));
  constexpr std::size_t kRows = 8;
  Toy toy(n_items, own_logits);
  StepOptions options;
  options.loss = loss;
  std::vector<double> expected;
  for (int t = 0; t < kTargets; ++t) {
    const Rows single(kRows, n_items, [&](std::size_t row) {
      return std::vector<ItemId>{target(row, t, n_items)};
    });
    const std::vector<double> one = results(toy, single, options);
    expected.resize(one.size());
    for (std::size_t e = 0; e < one.size(); ++e) expected[e] += one[e] / kTargets;
  }
  options.n_targets = kTargets;
  const Rows several(kRows, n_items, [&](std::size_t row) {
    std::vector<ItemId> targets;
    for (int t = 0; t < kTargets; ++t) targets.push_back(target(row, t, n_items));
    return targets;
  });
  const std::vector<double> got = results(toy, several, options);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t e = 0; e < got.size(); ++e) ASSERT_NEAR(got[e], expected[e], 2e-6) << e;
}

TEST(Targets, AreAMeanOfRowsWithOneEach) {
  for (const char* loss : {"CE", "BPR", "sampled_softmax"})
    expect_mean_of_single_targets(loss, 23, false);
  expect_mean_of_single_targets("CE", SoftmaxHeadRun::kSmallCatalogue + 100, false);
  expect_mean_of_single_targets("CE", 23, true);
}

TEST(Targets, OfShortUsersHaveThePaddingInFront) {
  Toy toy(23);
  const Rows few(5, 23, [](std::size_t row) { return std::vector{target(row, 0, 23)}; });
  const Rows written(5, 23, [](std::size_t row) {
    return std::vector<ItemId>{0, 0, target(row, 0, 23)};
  });
  for (const char* loss : {"CE", "BPR", "BCE", "gBCE", "sampled_softmax"}) {
    StepOptions options;
    options.loss = loss;
    options.n_targets = kTargets;
    EXPECT_EQ(results(toy, few, options), results(toy, written, options)) << loss;
  }
}

TEST(Targets, MoreThanTheLossWantsAreRefused) {
  Toy toy(23);
  const Rows rows(2, 23, [](std::size_t) { return std::vector<ItemId>{1, 2}; });
  EXPECT_THROW(results(toy, rows, {}), InternalError);
}

TEST(Targets, GradientsAgreeWithDifferences) {
  const Rows rows(6, 9, [](std::size_t row) {
    return std::vector{target(row, 0, 9), target(row, 2, 9), target(row, 4, 9)};
  });
  for (const char* loss : {"CE", "BPR", "BCE", "gBCE", "sampled_softmax"})
    for (const LossReduction reduction :
         {LossReduction::mean, LossReduction::balanced, LossReduction::sum}) {
      if (reduction == LossReduction::balanced && std::string(loss) != "BCE") continue;
      SCOPED_TRACE(loss);
      Toy toy(9);
      StepOptions options;
      options.loss = loss;
      options.reduction = reduction;
      options.n_targets = kTargets;
      options.n_negatives = 4;
      options.batch_size = 6;
      options.shard_rows = 4;
      check_differences(toy.network, options, rows.batch());
    }
}

TEST(Targets, SumsAreMeansTimesRows) {
  Toy toy(23);
  const Rows rows(6, 23, [](std::size_t row) {
    return std::vector{target(row, 0, 23), target(row, 2, 23)};
  });
  for (const char* loss : {"CE", "BPR", "BCE", "gBCE", "sampled_softmax"}) {
    StepOptions options;
    options.loss = loss;
    options.n_targets = 2;
    const std::vector<double> mean = results(toy, rows, options);
    options.reduction = LossReduction::sum;
    const std::vector<double> sum = results(toy, rows, options);
    for (std::size_t e = 0; e < sum.size(); ++e) ASSERT_NEAR(sum[e], 6 * mean[e], 2e-5) << loss;
  }
}

}  // namespace
}  // namespace recloom::nn
