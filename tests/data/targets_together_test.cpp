// Rows that ask for all held-out events of a user at once (split.targets = "together"), and ratios
// of events, as the split files of caser_pytorch were made.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "data/log_text.hpp"
#include "data/row_text.hpp"
#include "data/splitter.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

using ::testing::AllOf;
using testing::counts_of;
using testing::error_of_log;
using ::testing::HasSubstr;
using testing::open_log;
using testing::Rows;
using testing::rows_of;
using testing::sorted;
using testing::texts_of;
using Counts = std::array<std::int64_t, 3>;

SplitOptions together(SplitMode mode) {
  SplitOptions split;
  split.mode = mode;
  split.targets = SplitTargets::together;
  return split;
}

SplitOptions shares_of_events() {
  SplitOptions split = together(SplitMode::ratio);
  split.ratios_of = RatiosOf::events;
  split.ratios = {0.7, 0.1, 0.2};
  return split;
}

TEST(EventCounts, AreRoundedUpAtEachBoundary) {
  for (std::int64_t n = 1; n <= 3000; ++n) {
    const std::int64_t train = (7 * n + 9) / 10, valid = (8 * n + 9) / 10;
    for (const std::vector<double>& ratios :
         {std::vector<double>{0.7, 0.1, 0.2}, {7, 1, 2}, {70, 10, 20}})
      ASSERT_EQ(event_counts(ratios, n), (Counts{train, valid - train, n - valid})) << n;
    ASSERT_EQ(event_counts(std::vector<double>{0.8, 0, 0.2}, n), (Counts{valid, 0, n - valid}));
  }
  EXPECT_EQ(event_counts(std::vector<double>{1e-12, 0, 1}, 5), (Counts{1, 0, 4}));
}

TEST(TargetsTogether, ByShareOfEvents) {
  const std::string log = "u a b c d e f g h i j\nv a b c d e\nw a b c\nx a\n";
  const Dataset dataset = open_log(log, {}, shares_of_events(), "log.txt");
  EXPECT_EQ(texts_of(dataset, dataset.valid()), (std::vector<std::string>{"u: a b c d e f g > h"}));
  EXPECT_EQ(texts_of(dataset, dataset.test()),
            (std::vector<std::string>{"u: a b c d e f g h > i j", "v: a b c d > e"}));
  EXPECT_EQ(dataset.train_rows().size(), 6U + 3 + 2);
  EXPECT_EQ(dataset.train().sequence(dataset.vocabulary().user("u")).size(), 7U);
  EXPECT_EQ(dataset.train().sequence(dataset.vocabulary().user("x")).size(), 1U);
  // The same parts, asked one by one.
  SplitOptions each = shares_of_events();
  each.targets = SplitTargets::all;
  const Dataset single = open_log(log, {}, each, "log.txt");
  EXPECT_EQ(texts_of(single, single.train_rows()), texts_of(dataset, dataset.train_rows()));
  EXPECT_EQ(texts_of(single, single.test()),
            (std::vector<std::string>{"u: a b c d e f g h > i", "u: a b c d e f g h i > j",
                                      "v: a b c d > e"}));
  EXPECT_NE(single.hash(), dataset.hash());
  EXPECT_TRUE(std::ranges::equal(single.all_target_counts(), dataset.all_target_counts()));
}

/// Files "user item rating", as caser_pytorch has them.
struct AuthorFiles {
  testing::TemporaryFolder folder;
  DataOptions data;
  SplitOptions split = together(SplitMode::given);

  AuthorFiles(std::string_view train, std::string_view test) {
    folder.write("train.txt", train);
    folder.write("test.txt", test);
    split.test_file = "test.txt";
    data.format = FileFormat::csv;
    data.separator = " ";
    data.columns = {"user_id", "item_id", "rating"};
    data.time_column = "none";
  }
  Dataset open() const {
    RunContext run(1, 2);
    return Dataset::open(folder.file("train.txt"), data, split, run);
  }
};

TEST(TargetsTogether, OfGivenFiles) {
  // In the test file, v comes twice with an item it has, w not at all, x and y come there alone.
  const AuthorFiles files("u 1 5\nu 2 5\nv 3 1\nu 3 5\nw 1 1\nw 2 1\nv 1 1\n",
                          "v 1 1\nu 4 1\nv 5 1\nx 2 1\nu 1 1\nv 1 1\nx 3 1\ny 4 1\n");
  const Dataset dataset = files.open();
  EXPECT_EQ(sorted(rows_of(dataset)),
            (Rows{{{"u: 1 2 > 3", "u: 1 > 2", "v: 3 > 1", "w: 1 > 2"},
                   {},
                   {"u: 1 2 3 > 4 1", "v: 3 1 > 1 5 1", "x: > 2 3", "y: > 4"}}}));
}

TEST(TargetsTogether, ValidationPrecedesTest) {
  AuthorFiles files("u 1 5\nu 2 5\nv 3 1\nv 1 1\n", "u 5 1\nu 6 1\nz 1 1\n");
  files.folder.write("valid.txt", "u 3 1\nu 4 1\nv 2 1\nz 2 1\n");
  files.split.valid_file = "valid.txt";
  EXPECT_EQ(sorted(rows_of(files.open())), (Rows{{{"u: 1 > 2", "v: 3 > 1"},
                                                  {"u: 1 2 > 3 4", "v: 3 1 > 2", "z: > 2"},
                                                  {"u: 1 2 3 4 > 5 6", "z: 2 > 1"}}}));
}

TEST(TargetsTogether, ByTime) {
  SplitOptions split = together(SplitMode::temporal);
  split.times = {"10", "20"};
  const std::string_view log =
      "user_id,item_id,timestamp\nu,a,1\nu,b,2\nu,c,11\nu,d,21\nu,e,22\nv,a,5\nv,b,12\nv,c,13\n"
      "w,d,23\nw,a,24\nx,b,15\nx,c,25\nz,c,30\n";
  EXPECT_EQ(sorted(rows_of(open_log(log, {}, split, "log.csv"))),
            (Rows{{{"u: a > b"},
                   {"u: a b > c", "v: a > b c", "x: > b"},
                   {"u: a b c > d e", "w: > d a", "x: b > c", "z: > c"}}}));
}

TEST(TargetsTogether, OfLeaveOneOutAreThoseOneByOne) {
  const std::string log = "u a b c d\nv a b\nw c\n";
  const Dataset one = open_log(log, {}, {}, "log.txt");
  EXPECT_EQ(rows_of(open_log(log, {}, together(SplitMode::leave_one_out), "log.txt")),
            rows_of(one));
}

TEST(TargetsTogether, IsRefusedWhereNothingPrecedes) {
  for (const auto& [mode, word] :
       {std::pair(SplitMode::users, "users"), std::pair(SplitMode::test, "test")})
    EXPECT_THAT(error_of_log<ConfigError>("u a b c\n", {}, together(mode), "log.txt"),
                AllOf(HasSubstr(std::string("split.mode = \"") + word),
                      HasSubstr("--set split.targets=all")));
  EXPECT_THAT(error_of_log<ConfigError>(
                  "user_id:token\titem_id_list:token_seq\titem_id:token\n1\t10 11\t13\n", {},
                  together(SplitMode::given)),
              HasSubstr("--set split.targets=all"));
}

/// Rows of one event each, put together by users.
std::vector<std::string> put_together(const std::vector<std::string>& rows) {
  std::map<std::string, std::string> users;
  for (const std::string& row : rows) {
    std::string& text = users[row.substr(0, row.find(':'))];
    text = text.empty() ? row : text + row.substr(row.find(" > ") + 2);
  }
  std::vector<std::string> texts;
  for (const auto& [user, text] : users) texts.push_back(text);
  return texts;
}

TEST(TargetsTogether, AreTheRowsOneByOne) {
  std::mt19937 random(5);
  for (int round = 0; round < 40; ++round) {
    std::string log(testing::kHeader);
    for (int line = 0; line < 80; ++line)
      log += "u" + std::to_string(random() % 8) + "\ti" + std::to_string(random() % 12) + "\t" +
             std::to_string(random() % 40) + "\n";
    SplitOptions split = together(SplitMode::ratio);
    split.ratios = {0.5, 0.2, 0.3};
    split.group = round % 2 == 0 ? RatioGroup::user : RatioGroup::all;
    split.ratios_of = round % 4 == 0 ? RatiosOf::events : RatiosOf::rows;
    const Rows joined = sorted(rows_of(open_log(log, {}, split)));
    split.targets = SplitTargets::all;
    const Rows single = rows_of(open_log(log, {}, split));
    EXPECT_EQ(joined[0], sorted(single)[0]);
    EXPECT_EQ(joined[1], put_together(single[1]));
    EXPECT_EQ(joined[2], put_together(single[2]));
  }
}

std::int64_t n_targets(const Batch& rows) {
  std::int64_t n = 0;
  for (const Batch::Entry& row : rows.entries()) n += row.n_targets;
  return n;
}

TEST(TargetsTogether, OfTheAuthorsMovieLens) {
  const auto folder = testing::shared_dataset("ml-1m-caser");
  if (folder.empty()) GTEST_SKIP() << "the ml-1m-caser files are not there (RECLOOM_DATA_DIR)";
  AuthorFiles files("", "");
  files.split.test_file = "test.txt.gz";
  RunContext run(1, 2);
  const Dataset dataset =
      Dataset::open((folder / "train.txt.gz").string(), files.data, files.split, run);
  EXPECT_EQ(dataset.catalogue().n_users, 6041);
  EXPECT_EQ(dataset.catalogue().n_items, 3417);
  EXPECT_EQ(dataset.train_rows().size(), 802085U - 6040);
  EXPECT_EQ(dataset.test().size(), 6040U);
  EXPECT_EQ(n_targets(dataset.test()), 197526);
  // Their own rule of 70/10/20 cuts the same log at the same places.
  const auto log = testing::shared_dataset("ml-1m/ml-1m.inter.gz");
  if (log.empty()) return;
  DataOptions whole;
  whole.item_interval = "[5,inf)";
  const Dataset cut = Dataset::open(log.string(), whole, shares_of_events(), run);
  EXPECT_EQ(cut.n_interactions(), 999611);
  EXPECT_EQ(n_targets(cut.valid()), 99683);
  EXPECT_EQ(n_targets(cut.test()), 197526);
  EXPECT_EQ(cut.test().size(), 6040U);
}

}  // namespace
}  // namespace recloom
