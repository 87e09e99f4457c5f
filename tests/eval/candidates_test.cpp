#include "eval/candidates.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <vector>

#include "recloom/core/error.hpp"
#include "recloom/eval/evaluator.hpp"
#include "scoring/fake_models.hpp"

namespace recloom {
namespace {

using Items = std::vector<ItemId>;

/// One sampler with its scratch memory.
class Drawer {
 public:
  Drawer(CandidateMode mode, int count, bool with_replacement, std::vector<std::int64_t> counts,
         double alpha = 1, std::uint64_t seed = 1)
      : counts_(std::move(counts)),
        sampler_({mode, count}, with_replacement, alpha, counts_, static_cast<int>(counts_.size()),
                 Rng(seed)),
        work_(static_cast<int>(counts_.size())) {}
  Items draw(std::int64_t row, const Items& excluded = {}) {
    Items items;
    sampler_.draw(row, excluded, work_, items);
    return items;
  }

 private:
  std::vector<std::int64_t> counts_;
  CandidateSampler sampler_;
  CandidateSampler::Workspace work_;
};

std::vector<std::int64_t> ones(std::size_t n_items) {
  std::vector<std::int64_t> counts(n_items, 1);
  counts[0] = 0;
  return counts;
}

bool strictly_ascending(const Items& items) {
  return std::ranges::adjacent_find(items, std::greater_equal{}) == items.end();
}

class Candidates : public ::testing::TestWithParam<CandidateMode> {};
INSTANTIATE_TEST_SUITE_P(Modes, Candidates,
                         ::testing::Values(CandidateMode::uniform, CandidateMode::popularity));

TEST_P(Candidates, OfMoreDrawsThanCanMatterAreAllItems) {
  std::vector<std::int64_t> counts = ones(60);
  counts[13] = 1000;
  for (const bool with_replacement : {false, true}) {
    Drawer drawer(GetParam(), std::numeric_limits<int>::max(), with_replacement, counts);
    EXPECT_EQ(drawer.draw(1).size(), 59U);
    EXPECT_EQ(drawer.draw(2, {13, 5, 13}).size(), 57U);
    Items all(59);
    std::iota(all.begin(), all.end(), 1);
    EXPECT_TRUE(drawer.draw(3, all).empty());
  }
}

TEST_P(Candidates, AreDifferentRealItemsOutsideWhatIsExcluded) {
  // From few of the free items to nearly all of them, and all.
  for (const int count : {1, 10, 50, 90, 96}) {
    Drawer drawer(GetParam(), count, false, ones(100));
    for (std::int64_t row = 0; row < 200; ++row) {
      const Items items = drawer.draw(row, {7, 42, 7, 99});
      ASSERT_EQ(items.size(), static_cast<std::size_t>(count));
      ASSERT_TRUE(strictly_ascending(items));
      ASSERT_GE(items.front(), 1);
      ASSERT_LT(items.back(), 99);
      for (const ItemId excluded : {7, 42})
        ASSERT_FALSE(std::ranges::binary_search(items, excluded));
    }
  }
}

TEST_P(Candidates, AreAllThereAreWhereFewer) {
  Drawer drawer(GetParam(), 1000, false, ones(10));
  EXPECT_EQ(drawer.draw(1, {3, 4}), (Items{1, 2, 5, 6, 7, 8, 9}));
  EXPECT_EQ(drawer.draw(1, {1, 2, 3, 4, 5, 6, 7, 8, 9}), Items{});
}

TEST_P(Candidates, AreFixedBySeedAndRow) {
  Drawer drawer(GetParam(), 20, false, ones(500));
  const Items first = drawer.draw(77);
  EXPECT_NE(drawer.draw(78), first);
  EXPECT_EQ(drawer.draw(77), first);
  Drawer same(GetParam(), 20, false, ones(500)), other(GetParam(), 20, false, ones(500), 1, 2);
  EXPECT_EQ(same.draw(77), first);
  EXPECT_NE(other.draw(77), first);
}

TEST_P(Candidates, WithReplacementRepeatsCountOnce) {
  Drawer drawer(GetParam(), 30, true, ones(31));
  double total = 0;
  constexpr int kRows = 2000;
  for (std::int64_t row = 0; row < kRows; ++row) {
    const Items items = drawer.draw(row);
    ASSERT_TRUE(strictly_ascending(items));
    ASSERT_GE(items.front(), 1);
    total += static_cast<double>(items.size());
  }
  // Different values among 30 draws of 30: 30 (1 - (29/30)^30) = 19.15, deviation of a row 1.7.
  EXPECT_NEAR(total / kRows, 30 * (1 - std::pow(29.0 / 30, 30)), 5 * 1.7 / std::sqrt(kRows));
}

TEST(UniformCandidates, DrawEveryItemEquallyOften) {
  // Both ways of drawing: few of many items, most of few items.
  for (const int count : {3, 15}) {
    Drawer drawer(CandidateMode::uniform, count, false, ones(21));
    std::map<ItemId, int> times;
    constexpr int kRows = 20000;
    for (std::int64_t row = 0; row < kRows; ++row)
      for (const ItemId item : drawer.draw(row)) ++times[item];
    const double share = count / 20.0;
    for (ItemId item = 1; item <= 20; ++item)
      EXPECT_NEAR(times[item], kRows * share, 5 * std::sqrt(kRows * share * (1 - share)))
          << count << " drawn, item " << item;
  }
}

TEST(PopularCandidates, FollowCountsToThePowerOfAlpha) {
  Drawer drawer(CandidateMode::popularity, 1, false, {100, 1, 4, 0, 9}, 0.5);
  std::map<ItemId, int> times;
  constexpr int kRows = 30000;
  for (std::int64_t row = 0; row < kRows; ++row) ++times[drawer.draw(row).at(0)];
  const double shares[] = {0, 1.0 / 6, 2.0 / 6, 0, 3.0 / 6};
  for (ItemId item = 0; item < 5; ++item) {
    const double share = shares[item];
    EXPECT_NEAR(times[item], kRows * share, 5 * std::sqrt(kRows * share * (1 - share))) << item;
  }
}

TEST(PopularCandidates, WithoutReplacementFollowSuccessiveDraws) {
  // P(pair) = p_a p_b / (1 - p_a) + p_b p_a / (1 - p_b).
  const double p[] = {0, 0.1, 0.2, 0.7};
  Drawer drawer(CandidateMode::popularity, 2, false, {0, 1, 2, 7});
  std::map<Items, int> times;
  constexpr int kRows = 30000;
  for (std::int64_t row = 0; row < kRows; ++row) ++times[drawer.draw(row)];
  for (ItemId a = 1; a <= 3; ++a)
    for (ItemId b = a + 1; b <= 3; ++b) {
      const double share = p[a] * p[b] / (1 - p[a]) + p[b] * p[a] / (1 - p[b]);
      EXPECT_NEAR(times[(Items{a, b})], kRows * share, 5 * std::sqrt(kRows * share * (1 - share)))
          << a << ", " << b;
    }
}

TEST(PopularCandidates, EndWhereTheRestHasHardlyAnyWeight) {
  std::vector<std::int64_t> counts(50, 1);
  counts[0] = 0;
  counts[7] = 1'000'000'000'000;
  Drawer drawer(CandidateMode::popularity, 20, false, counts);
  const Items items = drawer.draw(3);
  EXPECT_EQ(items.size(), 20U);
  EXPECT_TRUE(std::ranges::binary_search(items, 7));
  EXPECT_EQ(drawer.draw(3, {7}).size(), 20U);
}

TEST(PopularCandidates, LeaveOutWhatWasNeverATarget) {
  Drawer drawer(CandidateMode::popularity, 10, false, {5, 0, 3, 0, 2});
  EXPECT_EQ(drawer.draw(1), (Items{2, 4}));
}

TEST(PopularCandidates, RefuseCountsWithoutWeight) {
  const std::vector<std::int64_t> counts = {5, 0, 0};
  EXPECT_THROW(CandidateSampler({CandidateMode::popularity, 1}, false, 1, counts, 3, Rng(1)),
               ConfigError);
}

/// Which items the evaluator ranks: the lists of a metric that wants all of them.
class ListOfFirstRow final : public Metric {
 public:
  bool needs_items() const noexcept override { return true; }
  bool at_k() const noexcept override { return false; }
  void row(const RankedRow& row, std::span<double>) const override {
    if (row.row.user == 1) items.assign(row.top.begin(), row.top.end());
  }
  mutable Items items;
};

Items candidates_of(EvalOptions options, std::uint64_t epoch, std::size_t n_rows = 3) {
  const testing::TableModel model(std::vector<float>(n_rows * 200, 1.0F), 200);
  testing::Rows rows;
  for (std::size_t row = 0; row < n_rows; ++row) rows.add({1, 2, 3}, {50});
  options.topk = {200};
  const auto metric = std::make_shared<ListOfFirstRow>();
  const NamedMetric metrics[] = {{"list", metric}};
  EvalContext context;
  context.catalogue = model.catalogue();
  context.epoch = epoch;
  RunContext run(1, 1);
  evaluate(model, rows.batch(), context, options, metrics, run);
  return metric->items;
}

TEST(EvaluatedCandidates, AreTheSameInEveryEvaluationUnlessRedrawn) {
  EvalOptions options;
  options.candidates = "uni20";
  const Items first = candidates_of(options, 1);
  EXPECT_EQ(first.size(), 21U);
  EXPECT_TRUE(std::ranges::binary_search(first, 50));
  EXPECT_EQ(candidates_of(options, 2), first);
  EXPECT_EQ(candidates_of(options, 1, 100), first) << "other rows must not matter";
  options.candidates_redrawn = true;
  EXPECT_NE(candidates_of(options, 1), candidates_of(options, 2));
  EXPECT_EQ(candidates_of(options, 1), candidates_of(options, 1));
}

TEST(EvaluatedCandidates, LeaveOutMaskedHistory) {
  EvalOptions options;
  options.candidates = "uni500";
  EXPECT_EQ(candidates_of(options, 1).size(), 199U);
  options.mask_history = MaskHistory::full;
  const Items items = candidates_of(options, 1);
  EXPECT_EQ(items.size(), 196U);
  EXPECT_EQ(items.front(), 4);
}

}  // namespace
}  // namespace recloom
