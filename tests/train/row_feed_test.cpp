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
  RowFeed feed(toy.rows(), {.batch_size = batch_size, .n_negatives = 3}, &sampler);
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
  RowFeed feed(toy.rows(), {.batch_size = 4}, nullptr);
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

TEST(RowFeed, SequencesKeepTheHistoriesOfLines) {
  // Two lines of one user, histories of 3 and 7 items, and an ordinary user of 4 events; L is 5.
  const std::vector<ItemId> events = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  const std::vector<Batch::Entry> entries = {
      {0, 3, 1, 1}, {4, 7, 1, 1}, {12, 1, 1, 2}, {12, 2, 1, 2}, {12, 3, 1, 2}};
  const RunContext run(1, 1);
  RowFeed feed({events, entries, 5},
               {.batch_size = 3, .batching = Batching::sequences, .run_rows = 5}, nullptr);
  std::map<std::int64_t, std::size_t> lengths;
  feed.begin_epoch(1, run);
  for (std::int64_t step = 0; step < feed.n_steps(); ++step) {
    const Batch batch = feed.batch(step, run);
    for (std::size_t row = 0; row < batch.size(); ++row)
      lengths[batch[row].id] = batch[row].history.size();
  }
  EXPECT_EQ(lengths,
            (std::map<std::int64_t, std::size_t>{{3, 3}, {11, 5}, {13, 1}, {14, 2}, {15, 3}}));
}

TEST(RowFeed, ShowsTheSameRowsWhateverTheBatchSize) {
  const ToyRows toy(7, 4, 9);
  const RunContext run(1, 1);
  RowFeed small(toy.rows(), {.batch_size = 1}, nullptr);
  RowFeed large(toy.rows(), {.batch_size = 1000}, nullptr);
  EXPECT_EQ(large.n_steps(), 1);
  EXPECT_EQ(ids_of_epoch(small, 3, run), ids_of_epoch(large, 3, run));
  EXPECT_EQ(large.batch(0, run)[0].negatives.size(), 0U);
}

TEST(RowFeed, OrdersBySeedAndEpochAlone) {
  const ToyRows toy(50, 4, 9);
  const RunContext one(1, 1);
  const RunContext other(2, 1);
  RowFeed feed(toy.rows(), {.batch_size = 8}, nullptr);
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

/// Rows of one user that follow each other in time and in the epoch.
std::vector<std::vector<std::int64_t>> runs_of_epoch(RowFeed& feed, int epoch,
                                                     const RunContext& run) {
  std::vector<std::vector<std::int64_t>> runs;
  UserId user = 0;
  feed.begin_epoch(epoch, run);
  for (std::int64_t step = 0; step < feed.n_steps(); ++step) {
    const Batch batch = feed.batch(step, run);
    for (std::size_t row = 0; row < batch.size(); ++row) {
      const Row r = batch[row];
      if (runs.empty() || r.user != user || r.id != runs.back().back() + 1) runs.emplace_back();
      runs.back().push_back(r.id);
      user = r.user;
    }
  }
  return runs;
}

FeedOptions chunks_of(int run_rows, int batch_size) {
  return {.batch_size = batch_size, .batching = Batching::chunks, .run_rows = run_rows};
}

TEST(RowFeed, ChunksGiveEveryRowOnceInFullBatches) {
  const ToyRows toy(30, 12, 9);  // 330 rows, 11 of each user
  const RunContext run(1, 1);
  for (const int run_rows : {1, 3, 4, 11, 1000})
    for (const int batch_size : {1, 2, 8, 329, 1000}) {
      RowFeed feed(toy.rows(), chunks_of(run_rows, batch_size), nullptr);
      EXPECT_EQ(feed.n_steps(), (330 + batch_size - 1) / batch_size);
      std::vector<std::int64_t> expected, ids = ids_of_epoch(feed, 2, run);
      for (std::size_t row = 0; row < 330; ++row) expected.push_back(toy.rows()[row].id);
      EXPECT_NE(ids, expected) << "not shuffled";
      std::ranges::sort(ids);
      EXPECT_EQ(ids, expected) << run_rows << " " << batch_size;
      for (std::int64_t step = 0; step < feed.n_steps(); ++step)
        EXPECT_EQ(static_cast<std::int64_t>(feed.batch(step, run).size()),
                  feed.rows_in(step + 1) - feed.rows_in(step));
    }
}

TEST(RowFeed, ChunksKeepTheOrderOfTime) {
  const ToyRows toy(200, 12, 9);
  const RunContext run(1, 1);
  RowFeed feed(toy.rows(), chunks_of(4, 1000000), nullptr);
  std::map<std::size_t, int> lengths;
  std::map<std::int64_t, int> cuts;
  for (const auto& ids : runs_of_epoch(feed, 1, run)) {
    ++lengths[ids.size()];
    for (const std::int64_t id : ids) cuts[id % 12] += id == ids.front();
  }
  // A user's 11 rows are cut into runs of 4, so one of two shorter ones at the ends is left; two
  // runs of one user that follow each other by chance look like one.
  EXPECT_GE(lengths[4], 200);
  for (const auto& [length, count] : lengths) EXPECT_TRUE(length <= 4 || count < 10) << length;
  // The first cut lies behind the first to fourth row, equally often; rows begin at event 1.
  for (int event = 2; event <= 5; ++event) EXPECT_NEAR(cuts[event], 50, 30) << event;
}

TEST(RowFeed, ChunksCutAUserElsewhereInEveryEpoch) {
  const ToyRows toy(50, 12, 9);
  const RunContext run(1, 1);
  RowFeed feed(toy.rows(), chunks_of(4, 1000000), nullptr);
  const auto first = runs_of_epoch(feed, 1, run);
  auto sorted = first, other = runs_of_epoch(feed, 2, run);
  EXPECT_EQ(first, runs_of_epoch(feed, 1, run)) << "an epoch must not depend on those before";
  std::ranges::sort(sorted);
  std::ranges::sort(other);
  EXPECT_NE(sorted, other);
  EXPECT_NE(first, runs_of_epoch(feed, 1, RunContext(2, 1)));
}

TEST(RowFeed, ChunksLeaveShortUsersWhole) {
  const ToyRows toy(50, 12, 9);
  const RunContext run(1, 1);
  RowFeed feed(toy.rows(), chunks_of(11, 1000000), nullptr);
  for (const auto& ids : runs_of_epoch(feed, 1, run)) EXPECT_EQ(ids.size() % 11, 0U);
}

// As a split by time leaves them: users mixed, some rows missing.
TEST(RowFeed, ChunksFindRunsInRowsOfAnyOrder) {
  const ToyRows toy(40, 12, 9);
  std::vector<Batch::Entry> entries;
  for (const std::uint32_t row : shuffled(toy.rows().size(), Rng(3)))
    if (toy.rows().entries()[row].history_length != 6) entries.push_back(toy.rows().entries()[row]);
  const RunContext run(1, 1);
  RowFeed feed({toy.rows().events(), entries, 5}, chunks_of(100, 1000000), nullptr);
  const auto runs = runs_of_epoch(feed, 1, run);
  EXPECT_EQ(runs.size(), 80U);  // of each user rows 1..5 and 7..11
  for (const auto& ids : runs) EXPECT_EQ(ids.size(), 5U);
}

TEST(RowFeed, SequencesSeeNothingBeforeTheirBeginning) {
  const ToyRows toy(40, 12, 9);  // 11 rows of each user
  const RunContext run(1, 1);
  std::map<std::int64_t, std::vector<ItemId>> whole;
  for (std::size_t row = 0; row < toy.rows().size(); ++row) {
    const auto items = toy.rows().whole_history(row);
    whole[toy.rows()[row].id].assign(items.begin(), items.end());
  }
  for (const int length : {1, 4, 11, 50})
    for (const int batch_size : {7, 1000}) {
      const FeedOptions options{
          .batch_size = batch_size, .batching = Batching::sequences, .run_rows = length};
      RowFeed feed({toy.rows().events(), toy.rows().entries(), length}, options, nullptr);
      feed.begin_epoch(1, run);
      std::size_t before = 0, rows = 0, begun = 0;
      for (std::int64_t step = 0; step < feed.n_steps(); ++step) {
        const Batch batch = feed.batch(step, run);
        for (std::size_t at = 0; at < batch.size(); ++at, ++rows) {
          const Row row = batch[at];
          const std::vector<ItemId>& all = whole.at(row.id);
          const std::size_t n = row.history.size();
          ASSERT_TRUE(n == 1 || n == before + 1) << n;
          ASSERT_LE(n, static_cast<std::size_t>(length));
          ASSERT_TRUE(std::equal(row.history.rbegin(), row.history.rend(), all.rbegin()));
          EXPECT_EQ(row.targets[0], toy.rows().events()[static_cast<std::size_t>(row.id)]);
          EXPECT_EQ(batch.whole_history(at).size(), n);
          if (length >= 11) {
            EXPECT_EQ(n, all.size()) << "a user who fits is no whole sequence";
          }
          before = n;
          begun += n == 1;
        }
      }
      EXPECT_EQ(rows, 440U);
      EXPECT_GE(begun, 40U * (length >= 11 ? 1 : static_cast<std::size_t>(11 / length)));
    }
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
