#include "train/row_feed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <vector>

#include "train/toy_rows.hpp"

namespace recloom {
namespace {

using testing::ToyRows;

/// Draws any item, the row's own target included.
class AnyItem final : public NegativeSampler {
 public:
  void prepare(const SamplerContext&) override {}
  void sample(const Row&, Rng rng, std::span<ItemId> negatives) const override {
    for (ItemId& item : negatives) item = static_cast<ItemId>(1 + rng.below(1000));
  }
};

std::vector<std::int64_t> ids_of_epoch(RowFeed& feed, int epoch, const RunContext& run) {
  std::vector<std::int64_t> ids;
  feed.begin_epoch(epoch, run);
  for (std::int64_t step = 0; step < feed.n_steps(); ++step) {
    const Batch batch = feed.batch(step, run);
    for (std::size_t row = 0; row < batch.size(); ++row) ids.push_back(batch[row].id);
  }
  return ids;
}

std::map<std::int64_t, std::vector<ItemId>> negatives_of_epoch(int batch_size, int threads,
                                                               std::uint64_t seed, int epoch) {
  const ToyRows toy(200, 6, 50);
  const AnyItem sampler;
  const RunContext run(seed, threads);
  RowFeed feed(toy.rows(), batch_size, &sampler, 3);
  std::map<std::int64_t, std::vector<ItemId>> negatives;
  feed.begin_epoch(epoch, run);
  for (std::int64_t step = 0; step < feed.n_steps(); ++step) {
    const Batch batch = feed.batch(step, run);
    for (std::size_t row = 0; row < batch.size(); ++row) {
      const Row r = batch[row];
      negatives[r.id].assign(r.negatives.begin(), r.negatives.end());
    }
  }
  return negatives;
}

TEST(RowFeed, GivesEveryRowOncePerEpoch) {
  const ToyRows toy(7, 4, 9);
  const RunContext run(1, 1);
  RowFeed feed(toy.rows(), 4, nullptr, 1);
  EXPECT_EQ(feed.n_rows(), 21);
  EXPECT_EQ(feed.n_steps(), 6);
  EXPECT_EQ(feed.rows_in(2), 8);
  EXPECT_EQ(feed.rows_in(6), 21);

  std::vector<std::int64_t> expected;
  for (std::size_t row = 0; row < toy.rows().size(); ++row) expected.push_back(toy.rows()[row].id);
  std::vector<std::int64_t> ids = ids_of_epoch(feed, 1, run);
  EXPECT_NE(ids, expected) << "not shuffled";
  std::ranges::sort(ids);
  EXPECT_EQ(ids, expected);
}

TEST(RowFeed, ShowsTheSameRowsWhateverTheBatchSize) {
  const ToyRows toy(7, 4, 9);
  const RunContext run(1, 1);
  RowFeed small(toy.rows(), 1, nullptr, 1);
  RowFeed large(toy.rows(), 1000, nullptr, 1);
  EXPECT_EQ(large.n_steps(), 1);
  EXPECT_EQ(ids_of_epoch(small, 3, run), ids_of_epoch(large, 3, run));
  EXPECT_EQ(large.batch(0, run)[0].negatives.size(), 0U);
}

TEST(RowFeed, OrdersBySeedAndEpochAlone) {
  const ToyRows toy(50, 4, 9);
  const RunContext one(1, 1);
  const RunContext other(2, 1);
  RowFeed feed(toy.rows(), 8, nullptr, 1);
  const auto first = ids_of_epoch(feed, 1, one);
  const auto second = ids_of_epoch(feed, 2, one);
  EXPECT_NE(first, second);
  EXPECT_NE(first, ids_of_epoch(feed, 1, other));
  EXPECT_EQ(first, ids_of_epoch(feed, 1, one)) << "an epoch must not depend on those before";
}

TEST(RowFeed, DrawsNegativesByRowWhateverTheBatchSizeAndThreads) {
  const auto negatives = negatives_of_epoch(1, 1, 5, 2);
  EXPECT_EQ(negatives.size(), 1000U);
  EXPECT_EQ(negatives.begin()->second.size(), 3U);
  EXPECT_EQ(negatives, negatives_of_epoch(64, 1, 5, 2));
  EXPECT_EQ(negatives, negatives_of_epoch(1000, 4, 5, 2));
  EXPECT_NE(negatives, negatives_of_epoch(64, 1, 5, 3));
  EXPECT_NE(negatives, negatives_of_epoch(64, 1, 6, 2));
}

// Each of the 3! orders of three things should come up in a sixth of many draws: within 5 standard
// deviations, sqrt(6000 * 1/6 * 5/6) = 28.9.
TEST(Shuffled, GivesEveryOrderEquallyOften) {
  std::map<std::vector<std::uint32_t>, int> counts;
  for (std::uint64_t draw = 0; draw < 6000; ++draw)
    ++counts[shuffled(3, Rng(7).fork("draw", draw))];
  ASSERT_EQ(counts.size(), 6U);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000, 145);
}

}  // namespace
}  // namespace recloom
