// The scores of a query x item model, all of them or some, against double precision.
#include "scoring/model_scores.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "scoring/block_scores.hpp"
#include "scoring/vector_world.hpp"

namespace recloom {
namespace {

using namespace testing;

class ModelScores : public ::testing::TestWithParam<Similarity> {
 protected:
  std::vector<float> all(const Batch& rows) const {
    std::vector<float> scores(rows.size() * model_.n_items());
    score_all_items(model_, rows, {scores, model_.n_items()});
    return scores;
  }
  const VectorWorld world_;
  const VectorModel model_ = world_.model(GetParam());
};
INSTANTIATE_TEST_SUITE_P(All, ModelScores,
                         ::testing::Values(Similarity::dot, Similarity::cosine,
                                           Similarity::negative_euclidean));

TEST_P(ModelScores, OfAllItemsAreTheFormulas) {
  const Batch rows = world_.rows.batch();
  ASSERT_GT(rows.size(), kMostBlockRows);  // More than one block.
  const std::vector<float> scores = all(rows);
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (std::size_t item = 0; item < model_.n_items(); ++item)
      ASSERT_NEAR(scores[row * model_.n_items() + item], world_.score(row, item, GetParam()), 1e-4)
          << row << " " << item;
}

TEST_P(ModelScores, OfQueriesAreThoseOfTheirRows) {
  const Batch rows = world_.rows.batch();
  const auto size = static_cast<std::size_t>(world_.size);
  std::vector<float> scores(rows.size() * model_.n_items());
  score_all_items(model_, {std::span(world_.queries).first(rows.size() * size), size},
                  {scores, model_.n_items()});
  EXPECT_EQ(scores, all(rows));
}

TEST_P(ModelScores, OfGivenItemsAreColumns) {
  const Batch rows = world_.rows.batch();
  const std::vector<float> scores = all(rows);
  for (const std::size_t n : {1U, 15U, 16U, 37U}) {
    std::vector<ItemId> items(rows.size() * n);
    Rng rng(5);
    for (ItemId& item : items) item = static_cast<ItemId>(rng.below(world_.n_items));
    std::vector<float> some(items.size());
    score_given_items(model_, rows, {items, n}, {some, n});
    for (std::size_t at = 0; at < items.size(); ++at)
      ASSERT_NEAR(some[at], scores[at / n * model_.n_items() + static_cast<std::size_t>(items[at])],
                  1e-5);
  }
}

TEST_P(ModelScores, OfARepeatedItemAreEqual) {
  const Batch rows = world_.rows.batch().rows(0, 3);
  for (const std::size_t n : {2U, 7U, 17U, 100U}) {
    const std::vector<ItemId> items(rows.size() * n, 77);
    std::vector<float> scores(items.size());
    score_given_items(model_, rows, {items, n}, {scores, n});
    for (std::size_t at = 0; at < items.size(); ++at) EXPECT_EQ(scores[at], scores[at / n * n]);
  }
}

TEST_P(ModelScores, AreTheBitsThatRankingSees) {
  const Batch rows = world_.rows.batch().rows(0, 100);
  const std::vector<float> scores = all(rows);
  const RunContext run(1, 2);
  ScoreGrid grid(model_, run);
  grid.encode(rows, run);
  BlockScores block(grid, rows.size());
  block.start(rows);
  for (int index = 0; index < grid.n_tiles(); ++index) {
    const ScoreTile tile = block.tile(index);
    for (std::size_t row = 0; row < rows.size(); ++row)
      EXPECT_TRUE(std::ranges::equal(
          tile.row(row),
          std::span(scores).subspan(row * model_.n_items() + static_cast<std::size_t>(tile.first),
                                    static_cast<std::size_t>(tile.width))));
  }
}

TEST_P(ModelScores, OfNoRowsAreNone) {
  const Batch none = world_.rows.batch().rows(0, 0);
  EXPECT_TRUE(all(none).empty());
  score_given_items(model_, none, {{}, 3}, {{}, 3});
}

TEST(BlockScores, KeepWhatIsWrittenToTheFirstTiles) {
  const VectorWorld world;
  const VectorModel model = world.model(Similarity::dot);
  const Batch rows = world.rows.batch().rows(0, 9);
  const RunContext run(1, 1);
  const ScoreGrid grid(model, run);
  BlockScores block(grid, rows.size());
  block.start(rows);
  const float old = block.tile(3).row(2)[5];
  for (const int index : {3, 0, 4}) block.tile(index).row(2)[5] = -7;
  EXPECT_EQ(block.tile(3).row(2)[5], -7);
  EXPECT_EQ(block.tile(0).row(2)[5], -7);
  EXPECT_NE(block.tile(4).row(2)[5], -7);
  block.start(rows);
  EXPECT_EQ(block.tile(3).row(2)[5], old);
}

}  // namespace
}  // namespace recloom
