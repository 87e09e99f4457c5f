#include "recloom/eval/recommend.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "eval/brute_force.hpp"
#include "eval/recommend.hpp"
#include "recloom/core/error.hpp"
#include "recloom/core/random.hpp"
#include "scoring/fake_models.hpp"

namespace recloom {
namespace {

using namespace testing;
using Items = std::vector<ItemId>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

Items items_of(const std::vector<Recommendation>& list) {
  Items items;
  for (const Recommendation& each : list) items.push_back(each.item);
  return items;
}

struct World {
  static constexpr int kItems = 1100;
  Rows rows;
  std::vector<float> scores;
  /// @param n_values different scores; few make many ties.
  World(std::size_t n_rows, int n_values) {
    Rng rng(9);
    for (std::size_t row = 0; row < n_rows; ++row) {
      Items history(static_cast<std::size_t>(rng.below(60)));
      for (ItemId& item : history) item = static_cast<ItemId>(1 + rng.below(kItems - 1));
      rows.add(history, {});
      for (int item = 0; item < kItems; ++item)
        scores.push_back(static_cast<float>(rng.below(n_values)) - 50.0F);
    }
  }
};

class TopK : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Values, TopK, ::testing::Values(3, 100, 1 << 20));

TEST_P(TopK, EqualsASort) {
  const World world(70, GetParam());
  const TableModel whole(world.scores, World::kItems);
  const IdentityModel fused(world.scores, World::kItems);
  const Batch rows = world.rows.batch(10);
  RunContext run(1, 2);
  for (const SequentialRecommender* model : {static_cast<const SequentialRecommender*>(&whole),
                                             static_cast<const SequentialRecommender*>(&fused)})
    for (const int k : {1, 10, 500, 5000})
      for (const bool hide : {false, true}) {
        TopKOptions options;
        options.k = k;
        options.hide_history = hide;
        const auto lists = top_k(*model, rows, options, run);
        ASSERT_EQ(lists.size(), rows.size());
        for (std::size_t row = 0; row < rows.size(); ++row) {
          const auto scores =
              std::span<const float>(world.scores).subspan(row * World::kItems, World::kItems);
          Items wanted =
              brute_force_rank(scores, rows, row, hide ? MaskHistory::full : MaskHistory::none,
                               TieRule::by_id)
                  .list;
          wanted.resize(std::min(wanted.size(), static_cast<std::size_t>(k)));
          ASSERT_EQ(items_of(lists[row]), wanted) << "row " << row << ", k " << k;
          for (const Recommendation& each : lists[row])
            ASSERT_EQ(each.score, scores[static_cast<std::size_t>(each.item)]);
        }
      }
}

TEST_P(TopK, OfCandidatesIsTheirPartOfTheFullList) {
  const World world(70, GetParam());
  const TableModel whole(world.scores, World::kItems);
  const IdentityModel fused(world.scores, World::kItems);
  const Batch rows = world.rows.batch(10);
  RunContext run(1, 2);
  std::vector<Items> candidates(rows.size());
  Rng rng(4);
  for (std::size_t row = 1; row < rows.size(); ++row) {  // Row 0 may get every item.
    candidates[row].resize(static_cast<std::size_t>(1 + rng.below(40)));
    for (ItemId& item : candidates[row]) item = static_cast<ItemId>(rng.below(World::kItems));
    std::ranges::sort(candidates[row]);
  }
  for (const SequentialRecommender* model : {static_cast<const SequentialRecommender*>(&whole),
                                             static_cast<const SequentialRecommender*>(&fused)})
    for (const bool hide : {false, true}) {
      const Items blocked = {3, 500};
      TopKOptions options;
      options.k = World::kItems;
      options.hide_history = hide;
      options.block = blocked;
      const auto all = top_k(*model, rows, options, run);
      options.k = 7;
      const auto some = top_k_of(*model, rows, options, candidates, run);
      for (std::size_t row = 0; row < rows.size(); ++row) {
        std::vector<Recommendation> wanted;
        for (const Recommendation& each : all[row])
          if (row == 0 || std::ranges::binary_search(candidates[row], each.item))
            wanted.push_back(each);
        wanted.resize(std::min<std::size_t>(wanted.size(), 7));
        ASSERT_EQ(items_of(some[row]), items_of(wanted)) << row;
        for (std::size_t at = 0; at < wanted.size(); ++at)
          ASSERT_EQ(some[row][at].score, wanted[at].score);
      }
    }
}

TEST(TopKLists, KeepToAllowAndBlock) {
  const World world(20, 7);
  const IdentityModel model(world.scores, World::kItems);
  const Batch rows = world.rows.batch();
  RunContext run(1, 2);
  // Two of three tiles have allowed items.
  const Items allow = {0, 3, 4, 5, 90, 1050, 1051}, block = {4, 1051, 8};
  TopKOptions options;
  options.allow = allow;
  options.block = block;
  options.hide_history = true;
  const auto lists = top_k(model, rows, options, run);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto scores =
        std::span<const float>(world.scores).subspan(row * World::kItems, World::kItems);
    const Items wanted =
        brute_force_rank(scores, rows, row, MaskHistory::full, TieRule::by_id, {3, 5, 90, 1050})
            .list;
    EXPECT_EQ(items_of(lists[row]), wanted) << "row " << row;
  }
}

TEST(TopKLists, AreEmptyWhereNothingIsEligible) {
  const TableModel model({0, 1, 2}, 3);
  Rows rows;
  rows.add({1, 2}, {});
  RunContext run(1, 1);
  TopKOptions options;
  options.hide_history = true;
  EXPECT_TRUE(top_k(model, rows.batch(), options, run).at(0).empty());
  // Only an item that the model does not know is allowed.
  const Items unknown = {0};
  options = {};
  options.allow = unknown;
  EXPECT_TRUE(top_k(model, rows.batch(), options, run).at(0).empty());
  EXPECT_TRUE(top_k(model, Rows().batch(), {}, run).empty());
}

TEST(TopKLists, LeaveOutWhatIsNoCandidate) {
  const BiasModel model({5, -kInfinity, 1, kInfinity, -kInfinity});
  Rows rows;
  rows.add({}, {});
  RunContext run(1, 1);
  EXPECT_EQ(items_of(top_k(model, rows.batch(), {}, run).at(0)), (Items{3, 2}));
}

TEST(TopKLists, TreatBothZerosAlike) {
  const TableModel model({0, -0.0F, 0.0F, -0.0F, 0.0F}, 5);
  Rows rows;
  rows.add({}, {});
  RunContext run(1, 1);
  TopKOptions options;
  options.k = 3;
  EXPECT_EQ(items_of(top_k(model, rows.batch(), options, run).at(0)), (Items{1, 2, 3}));
}

TEST(TopKLists, RefuseNanAndBadOptions) {
  const TableModel model({0, 1, std::numeric_limits<float>::quiet_NaN()}, 3);
  Rows rows;
  rows.add({}, {});
  RunContext run(1, 1);
  EXPECT_THROW(top_k(model, rows.batch(), {}, run), NumericError);
  TopKOptions options;
  options.k = 0;
  EXPECT_THROW(top_k(model, rows.batch(), options, run), ConfigError);
  const Items outside = {3};
  options = {};
  options.block = outside;
  EXPECT_THROW(top_k(model, rows.batch(), options, run), ConfigError);
}

TEST(TopKLists, AreTheSameForAnyNumberOfThreads) {
  const World world(300, 1 << 20);
  const IdentityModel model(world.scores, World::kItems);
  std::vector<Items> first;
  for (const int threads : {1, 2, 4}) {
    RunContext run(1, threads);
    std::vector<Items> lists;
    for (const auto& list : top_k(model, world.rows.batch(), {}, run))
      lists.push_back(items_of(list));
    if (first.empty()) first = lists;
    EXPECT_EQ(lists, first) << threads << " threads";
  }
}

}  // namespace
}  // namespace recloom
