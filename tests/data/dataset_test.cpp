#include "recloom/data/dataset.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "data/log_text.hpp"
#include "recloom/core/error.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using testing::error_of_log;
using testing::items_of;
using testing::kHeader;
using testing::open_log;

std::string log(std::string_view rows) { return std::string(kHeader).append(rows); }

std::vector<ItemId> list(std::span<const ItemId> items) { return {items.begin(), items.end()}; }

TEST(Dataset, LaysRowsOverTheEvents) {
  DataOptions options;
  options.max_length = 2;
  const Dataset dataset = open_log(log("a\tp\t1\na\tq\t2\na\tr\t3\na\ts\t4\na\tt\t5\n"), options);
  // Leave-one-out of five events: two training rows, one for validation, one for test.
  const Batch train = dataset.train_rows();
  ASSERT_EQ(train.size(), 2u);
  EXPECT_EQ(list(train[1].history), (std::vector<ItemId>{1, 2}));
  EXPECT_EQ(list(train[1].targets), (std::vector<ItemId>{3}));
  EXPECT_EQ(train[1].id, 2);
  const Batch test = dataset.test();
  ASSERT_EQ(test.size(), 1u);
  EXPECT_EQ(list(test[0].history), (std::vector<ItemId>{3, 4}));
  EXPECT_EQ(list(test.whole_history(0)), (std::vector<ItemId>{1, 2, 3, 4}));
  // Rows are views of the events, not copies.
  EXPECT_EQ(test[0].history.data(), dataset.events().data() + 2);
  EXPECT_EQ(list(dataset.train().sequence(1)), (std::vector<ItemId>{1, 2, 3}));
  EXPECT_TRUE(dataset.train().sequence(0).empty());
}

TEST(Dataset, CountsTargets) {
  const Dataset dataset = open_log(log("a\tp\t1\na\tq\t2\na\tq\t3\na\tr\t4\na\tq\t5\n"));
  const std::vector<std::int64_t> train(dataset.target_counts().begin(),
                                        dataset.target_counts().end());
  const std::vector<std::int64_t> all(dataset.all_target_counts().begin(),
                                      dataset.all_target_counts().end());
  EXPECT_EQ(train, (std::vector<std::int64_t>{0, 0, 2, 0}));
  EXPECT_EQ(all, (std::vector<std::int64_t>{0, 0, 3, 1}));
}

TEST(Dataset, NeedsATrainingRow) {
  EXPECT_EQ(error_of_log<DataError>(log("a\tp\t1\n")),
            "toy.inter: there are no training rows; a user needs two events to give one");
}

TEST(Dataset, TakesOneUserWithManyEvents) {
  std::string rows;
  for (int time = 0; time < 100; ++time) {
    rows += "a\ti";
    rows += std::to_string(time % 7) + '\t' + std::to_string(time) + '\n';
  }
  const Dataset dataset = open_log(log(rows));
  EXPECT_EQ(dataset.train_rows().size(), 97u);
  EXPECT_EQ(dataset.valid().size(), 1u);
  EXPECT_EQ(dataset.test().size(), 1u);
}

TEST(Dataset, HashDependsOnContentNotOnNameOrLength) {
  const std::string text = log("a\tp\t1\na\tq\t2\nb\tp\t3\nb\tr\t4\n");
  const std::string hash = open_log(text).hash();
  EXPECT_EQ(hash.size(), 16u);
  DataOptions longer;
  longer.max_length = 7;
  EXPECT_EQ(open_log(text, longer, {}, "other.inter").hash(), hash);
  EXPECT_NE(open_log(log("a\tp\t1\na\tq\t2\nb\tp\t3\nb\ts\t4\n")).hash(), hash);
  EXPECT_NE(open_log(log("a\tp\t1\na\tq\t2\nb\tr\t3\nb\tp\t4\n")).hash(), hash);
  SplitOptions all;
  all.mode = SplitMode::none;
  const std::string longer_log = log("a\tp\t1\na\tq\t2\na\tr\t3\n");
  EXPECT_NE(open_log(longer_log, {}, all).hash(), open_log(longer_log).hash());
}

TEST(Dataset, SummarisesTimes) {
  const Dataset dataset = open_log(log("a\tp\t5\na\tq\t5\na\tr\t7.5\nb\tp\t5\nb\tq\t-1\n"));
  EXPECT_TRUE(dataset.times().known);
  EXPECT_DOUBLE_EQ(dataset.times().first, -1);
  EXPECT_DOUBLE_EQ(dataset.times().last, 7.5);
  EXPECT_DOUBLE_EQ(dataset.times().tied, 2.0 / 5);
}

TEST(Dataset, FiltersByColumnsOfSideTables) {
  const testing::TemporaryFolder folder;
  const std::string file =
      folder.write("toy.inter", log("a\tx\t1\na\ty\t2\na\tz\t3\nb\tx\t4\nb\tz\t5\n"));
  folder.write("toy.item", "item_id:token\tyear:float\nx\t1999\ny\t1980\nz\t2001\n");
  DataOptions options;
  options.value_intervals = {"year [1990,inf)"};
  RunContext run;
  const Dataset dataset = Dataset::open(file, options, {}, run);
  EXPECT_EQ(items_of(dataset, "a"), "x z");
  EXPECT_EQ(dataset.catalogue().n_items, 3);
  options.value_intervals = {"yaer [1990,inf)"};
  EXPECT_THROW(Dataset::open(file, options, {}, run), ConfigError);
}

TEST(Dataset, RefusesMalformedFilters) {
  const std::string text = log("a\tp\t1\na\tq\t2\n");
  DataOptions options;
  options.user_interval = "5";
  EXPECT_EQ(error_of_log<ConfigError>(text, options),
            "data.user_interval: '5' is no interval (brackets are missing); legal are [low,high], "
            "(low,high], [low,high), (low,high), with inf and -inf, several joined with ';'");
  options.user_interval = "[5,inf)";
  EXPECT_EQ(error_of_log<DataError>(text, options),
            "toy.inter: its filters leave no interactions: data.user_interval = [5,inf)");
  options = {};
  options.value_intervals = {"timestamp 3-5"};
  EXPECT_TRUE(error_of_log<ConfigError>(text, options)
                  .starts_with("data.value_intervals: 'timestamp 3-5'"));
  options.value_intervals = {"item_id [3,5]"};
  EXPECT_EQ(error_of_log<DataError>(text, options),
            "toy.inter:1: column 'item_id' must have type float for a filter by interval");
}

TEST(Dataset, SplitsByOnePointInTime) {
  // Row times 2 3 4 | 6 7 8 9 10 11 12 (a's and b's targets); 80 % of them lie up to 10.
  const std::string text =
      log("a\tp\t1\na\tq\t2\na\tr\t3\na\ts\t4\n"
          "b\tp\t5\nb\tq\t6\nb\tr\t7\nb\ts\t8\nb\tt\t9\nb\tu\t10\nb\tv\t11\nb\tw\t12\n");
  SplitOptions split;
  split.mode = SplitMode::temporal;
  split.ratios = {0.6, 0.2, 0.2};
  const Dataset dataset = open_log(text, {}, split);
  // a: 3 early rows, floor(3 * .75) = 2 train; b: 5 early rows, 3 train, 2 test.
  EXPECT_EQ(dataset.train_rows().size(), 5u);
  EXPECT_EQ(dataset.valid().size(), 3u);
  EXPECT_EQ(dataset.test().size(), 2u);
  EXPECT_EQ(error_of_log<ConfigError>("a p q r\n", {}, split, "toy.txt"),
            "split.mode = \"temporal\" needs times, and the log has none (data.time_column names "
            "their column; --set split.mode=ratio cuts by the order of lines)");
}

TEST(Dataset, RefusesIllegalRatios) {
  SplitOptions split;
  split.mode = SplitMode::ratio;
  for (const std::vector<double>& ratios :
       {std::vector<double>{0.8, 0.2}, {0, 0.5, 0.5}, {1, -0.1, 0.1}, {}}) {
    split.ratios = ratios;
    EXPECT_TRUE(error_of_log<ConfigError>(log("a\tp\t1\na\tq\t2\n"), {}, split)
                    .starts_with("split.ratios: ["));
  }
}

TEST(Dataset, TrainsOnEverythingWithoutASplit) {
  SplitOptions split;
  split.mode = SplitMode::none;
  const Dataset dataset =
      open_log(log("a\tp\t1\na\tq\t2\nb\tp\t1\nc\tq\t1\nc\tq\t0\nc\tp\t2\n"), {}, split);
  EXPECT_EQ(dataset.train_rows().size(), 3u);
  EXPECT_EQ(dataset.valid().size(), 0u);
  EXPECT_EQ(dataset.test().size(), 0u);
  EXPECT_EQ(dataset.train().sequence(2).size(), 1u);
}

}  // namespace
}  // namespace recloom
