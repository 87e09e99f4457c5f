#include "recloom/data/sampler.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "recloom/core/error.hpp"

namespace recloom {
namespace {

Row row_with_targets(std::span<const ItemId> targets) {
  Row row;
  row.targets = targets;
  return row;
}

TEST(Sampler, DependsOnTheKeyAlone) {
  const auto sampler = make_uniform_sampler();
  sampler->prepare({{2, 1000, 5}, {}});
  std::vector<ItemId> once(50), again(50), other(50);
  sampler->sample({}, Rng(1), once);
  sampler->sample({}, Rng(1), again);
  sampler->sample({}, Rng(2), other);
  EXPECT_EQ(once, again);
  EXPECT_NE(once, other);
}

TEST(Sampler, NeverDrawsATargetWhileThereIsAnotherItem) {
  const std::vector<ItemId> targets = {1, 3, 3, 1};
  const std::vector<std::int64_t> counts = {0, 50, 1, 50};
  for (const auto& sampler : {make_uniform_sampler(), make_popularity_sampler(1)}) {
    sampler->prepare({{2, 4, 5}, counts});
    std::vector<ItemId> negatives(100);
    sampler->sample(row_with_targets(targets), Rng(1), negatives);
    EXPECT_EQ(negatives, std::vector<ItemId>(100, 2));
  }
}

TEST(Sampler, GivesATargetIfThereIsNothingElse) {
  const std::vector<ItemId> targets = {1, 2};
  const std::vector<std::int64_t> counts = {0, 4, 4, 0};
  const auto by_count = make_popularity_sampler(1);
  by_count->prepare({{2, 4, 5}, counts});
  std::vector<ItemId> negatives(10, 0);
  by_count->sample(row_with_targets(targets), Rng(1), negatives);
  for (const ItemId item : negatives) EXPECT_TRUE(item == 1 || item == 2);
  const auto uniform = make_uniform_sampler();
  uniform->prepare({{2, 3, 5}, {}});
  uniform->sample(row_with_targets(targets), Rng(1), negatives);
  for (const ItemId item : negatives) EXPECT_TRUE(item == 1 || item == 2);
}

TEST(Sampler, TellsHowLikelyEachItemIs) {
  std::vector<float> log_q(4, 0);
  const auto uniform = make_uniform_sampler();
  uniform->prepare({{2, 4, 5}, {}});
  EXPECT_TRUE(uniform->log_probabilities(log_q));
  EXPECT_EQ(log_q[1], log_q[3]);
  const std::vector<std::int64_t> counts = {0, 8, 0, 2};
  const auto popularity = make_popularity_sampler(0.5);
  popularity->prepare({{2, 4, 5}, counts});
  EXPECT_TRUE(popularity->log_probabilities(log_q));
  EXPECT_NEAR(log_q[1] - log_q[3], std::log(2.0), 1e-6);  // sqrt(8) to sqrt(2)
}

TEST(Sampler, PowersOfCountsDoNotOverflow) {
  const std::vector<std::int64_t> counts = {0, 1'000'000'000, 1'000'000'000, 999'999'999};
  const auto sampler = make_popularity_sampler(1e300);  // all but the most frequent vanish
  sampler->prepare({{2, 4, 5}, counts});
  std::vector<ItemId> negatives(1000);
  sampler->sample({}, Rng(1), negatives);
  EXPECT_EQ(std::ranges::count(negatives, 3), 0);
  const auto ones = std::ranges::count(negatives, 1);
  EXPECT_GT(ones, 400);
  EXPECT_LT(ones, 600);
  std::vector<float> log_q(4, 0);
  EXPECT_TRUE(sampler->log_probabilities(log_q));
  for (const float value : log_q) EXPECT_TRUE(std::isfinite(value));
}

TEST(Sampler, FindsAnotherItemWhereTargetsHaveAllProbability) {
  // Drawing until it is no target would take some 10^26 draws, or for ever.
  const std::vector<std::int64_t> counts = {0, 1'000'000'000, 2, 1};
  const std::vector<ItemId> targets = {1};
  std::vector<ItemId> negatives(9000);
  for (const double alpha : {3.0, 1e6}) {
    const auto sampler = make_popularity_sampler(alpha);
    sampler->prepare({{2, 4, 5}, counts});
    sampler->sample(row_with_targets(targets), Rng(1), negatives);
    EXPECT_EQ(std::ranges::count(negatives, 1), 0);
    // Among the others 2^3 to 1^3: 1,000 expected, 30 the standard deviation.
    const double expected = alpha == 3.0 ? 1000 : 0;
    EXPECT_NEAR(static_cast<double>(std::ranges::count(negatives, 3)), expected, expected * 0.15);
  }
}

TEST(Sampler, RefusesAnEmptyCatalogue) {
  EXPECT_THROW(make_uniform_sampler()->prepare({{1, 1, 5}, {}}), DataError);
  const std::vector<std::int64_t> none = {0, 0};
  EXPECT_THROW(make_popularity_sampler(1)->prepare({{1, 2, 5}, none}), DataError);
}

}  // namespace
}  // namespace recloom
