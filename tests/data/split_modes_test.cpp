// Which rows train and which are tested, against rows written by hand and against a naive reference
// for random logs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "data/log_text.hpp"
#include "data/row_text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

using ::testing::AllOf;
using testing::counts_of;
using testing::error_of_log;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::open_log;
using testing::Rows;
using testing::rows_of;
using testing::sorted;
using Counts = std::array<std::size_t, 3>;

constexpr std::string_view kThreeUsers =
    "user_id,item_id,timestamp\nu,a,1\nu,b,2\nu,c,11\nu,d,21\nv,a,5\nv,b,12\nv,c,22\nw,d,23\n"
    "w,a,24\n";

SplitOptions at_times(std::vector<std::string> times) {
  SplitOptions split;
  split.mode = SplitMode::temporal;
  split.times = std::move(times);
  return split;
}

SplitOptions last_days(std::vector<double> days) {
  SplitOptions split;
  split.mode = SplitMode::temporal;
  split.last_days = std::move(days);
  return split;
}

SplitOptions mode_of(SplitMode mode) {
  SplitOptions split;
  split.mode = mode;
  return split;
}

TEST(SplitModes, TimesBeginValidationAndTest) {
  const Dataset dataset = open_log(kThreeUsers, {}, at_times({"10", "20"}), "log.csv");
  EXPECT_EQ(rows_of(dataset), (Rows{{{"u: a > b"},
                                     {"u: a b > c", "v: a > b"},
                                     {"u: a b c > d", "v: a b > c", "w: d > a"}}}));
  // An event at a boundary lies behind it.
  EXPECT_EQ(counts_of(open_log(kThreeUsers, {}, at_times({"11", "22"}), "log.csv")),
            (Counts{1, 3, 2}));
  // One time begins test; two equal ones leave nothing between them.
  EXPECT_EQ(counts_of(open_log(kThreeUsers, {}, at_times({"12"}), "log.csv")), (Counts{2, 0, 4}));
  EXPECT_EQ(counts_of(open_log(kThreeUsers, {}, at_times({"12", "12"}), "log.csv")),
            (Counts{2, 0, 4}));
  // Training events are those before the first boundary of users with a training row.
  EXPECT_EQ(dataset.train().sequence(dataset.vocabulary().user("u")).size(), 2U);
  EXPECT_EQ(dataset.train().sequence(dataset.vocabulary().user("w")).size(), 0U);
}

TEST(SplitModes, TimesAreChecked) {
  EXPECT_THAT(error_of_log<ConfigError>(kThreeUsers, {}, at_times({"20", "10"}), "log.csv"),
              HasSubstr("test begins before validation"));
  EXPECT_THAT(error_of_log<ConfigError>(kThreeUsers, {}, at_times({"soon"}), "log.csv"),
              AllOf(HasSubstr("split.times"), HasSubstr("soon")));
  EXPECT_THAT(error_of_log<DataError>(kThreeUsers, {}, at_times({"1"}), "log.csv"),
              AllOf(HasSubstr("no training rows"), HasSubstr("from 1 to 24")));
  EXPECT_THAT(error_of_log<ConfigError>(kThreeUsers, {}, at_times({"1", "2", "3"}), "log.csv"),
              HasSubstr("split.times has 3 values"));
  SplitOptions both = at_times({"10"});
  both.last_days = {1};
  EXPECT_THAT(error_of_log<ConfigError>(kThreeUsers, {}, both, "log.csv"),
              HasSubstr("exclude each other"));
  DataOptions scaled;
  scaled.time_precision = TimePrecision::float32;
  scaled.normalize_time = true;
  EXPECT_THAT(error_of_log<ConfigError>(kThreeUsers, scaled, at_times({"10"}), "log.csv"),
              HasSubstr("data.normalize_time=false"));
  scaled.normalize_time = false;
  EXPECT_EQ(counts_of(open_log(kThreeUsers, scaled, at_times({"10", "20"}), "log.csv")),
            (Counts{1, 2, 3}));
}

TEST(SplitModes, EmptyPartsAreToldOf) {
  ::testing::internal::CaptureStderr();
  open_log(kThreeUsers, {}, at_times({"100"}), "log.csv");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("split.times leaves no test rows"), HasSubstr("from 1 to 24")));
  ::testing::internal::CaptureStderr();
  open_log(kThreeUsers, {}, at_times({"13", "14"}), "log.csv");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("no validation rows"));
}

TEST(SplitModes, TimesOfALogWithoutTimesAreNone) {
  for (const SplitOptions& split : {mode_of(SplitMode::temporal), at_times({"1"}), last_days({1})})
    EXPECT_THAT(error_of_log<ConfigError>("u a b c\nv a b\n", {}, split, "log.txt"),
                AllOf(HasSubstr("temporal"), HasSubstr("data.time_column")));
}

/// Events of one user on days 0 to 9, at noon, and one at the very end.
std::string ten_days() {
  std::string text(testing::kHeader);
  for (int day = 0; day < 10; ++day)
    text += "u\ti" + std::to_string(day) + "\t" + std::to_string(day * 86400 + 43200) + "\n";
  return text;
}

TEST(SplitModes, LastDaysAreCountedFromTheLastEvent) {
  // The last event is at noon of day 9: two days before is noon of day 7, which is test.
  EXPECT_EQ(counts_of(open_log(ten_days(), {}, last_days({2}))), (Counts{6, 0, 3}));
  EXPECT_EQ(counts_of(open_log(ten_days(), {}, last_days({3, 2}))), (Counts{3, 3, 3}));
  EXPECT_EQ(counts_of(open_log(ten_days(), {}, last_days({0, 2}))), (Counts{6, 0, 3}));
  EXPECT_EQ(counts_of(open_log(ten_days(), {}, last_days({0.5}))), (Counts{8, 0, 1}));
  EXPECT_EQ(counts_of(open_log(ten_days(), {}, last_days({0.99999}))), (Counts{8, 0, 1}));
  EXPECT_THAT(error_of_log<ConfigError>(ten_days(), {}, last_days({7, 0})),
              HasSubstr("must be above 0"));
}

TEST(SplitModes, TimesMayBeDates) {
  const std::string_view log =
      "user_id,item_id,timestamp\nu,a,2011-06-01\nu,b,2011-06-01T12:00:00Z\n"
      "u,c,2011-06-02T01:00:00+02:00\nu,d,2011-06-02 00:00:00\nu,e,2011-06-03T00:00:00.5\n";
  // c is of June 1 in UTC, d of the very first moment of June 2.
  EXPECT_EQ(rows_of(open_log(log, {}, at_times({"2011-06-02", "2011-06-03"}), "log.csv")),
            (Rows{{{"u: a > b", "u: a b > c"}, {"u: a b c > d"}, {"u: a b c d > e"}}}));
  EXPECT_EQ(counts_of(open_log(log, {}, at_times({"2011-06-02", "2011-06-03T00:00:00.500000001"}),
                               "log.csv")),
            (Counts{2, 2, 0}));
  // The same moments as numbers, beside dates.
  EXPECT_EQ(counts_of(open_log(log, {}, at_times({"1306972800", "1307059200.5"}), "log.csv")),
            (Counts{2, 1, 1}));
  // One day before the last event is half a second behind d, half a day more behind b.
  EXPECT_EQ(counts_of(open_log(log, {}, last_days({0.5, 1}), "log.csv")), (Counts{1, 2, 1}));
  EXPECT_THAT(error_of_log<DataError>(log, {}, at_times({"2011-01-01"}), "log.csv"),
              HasSubstr("from 2011-06-01T00:00:00Z to 2011-06-03T00:00:00.5Z"));
}

TEST(SplitModes, TimesAreInTheUnitOfTheLog) {
  const std::string_view log =
      "user_id,item_id,timestamp\nu,a,1306886400000\nu,b,1306929600000\nu,c,1306972800001\n"
      "u,d,1307059200001\n";
  DataOptions data;
  data.time_unit = TimeUnit::milliseconds;
  for (const char* valid : {"1306972800001", "2011-06-02", "2011-06-02T00:00:00.001Z"})
    EXPECT_EQ(counts_of(open_log(log, data, at_times({valid, "2011-06-03"}), "log.csv")),
              (Counts{1, 1, 1}))
        << valid;
  EXPECT_EQ(counts_of(open_log(log, data, at_times({"1306972800002", "2011-06-03"}), "log.csv")),
            (Counts{2, 0, 1}));
  EXPECT_EQ(counts_of(open_log(log, data, last_days({1}), "log.csv")), (Counts{1, 0, 2}));
  data.time_precision = TimePrecision::float32;
  EXPECT_EQ(counts_of(open_log(log, data, last_days({0.75}), "log.csv")), (Counts{2, 0, 1}));
  EXPECT_EQ(counts_of(open_log(log, data, at_times({"2011-06-02T12:00:00"}), "log.csv")),
            (Counts{2, 0, 1}));
}

TEST(SplitModes, LastDaysWantSeconds) {
  std::string text(testing::kHeader);
  for (int day = 0; day < 10; ++day)
    text += "u\ti" + std::to_string(day) + "\t" + std::to_string(1600000000000 + day * 86400000LL) +
            "\n";
  EXPECT_THAT(error_of_log<ConfigError>(text, {}, last_days({2})),
              AllOf(HasSubstr("split.last_days"), HasSubstr("data.time_unit=milliseconds")));
}

TEST(SplitModes, TestAsksForEveryNextItem) {
  SplitOptions split = mode_of(SplitMode::test);
  const Dataset all = open_log("t1 a b c d\nt2 b\nt3 c a\n", {}, split, "new.txt");
  EXPECT_EQ(rows_of(all),
            (Rows{{{}, {}, {"t1: a > b", "t1: a b > c", "t1: a b c > d", "t3: c > a"}}}));
  EXPECT_TRUE(all.train().sequence(all.vocabulary().user("t1")).empty());
  split.targets = SplitTargets::last;
  EXPECT_EQ(rows_of(open_log("t1 a b c d\nt2 b\nt3 c a\n", {}, split, "new.txt")),
            (Rows{{{}, {}, {"t1: a b c > d", "t3: c > a"}}}));
  EXPECT_THAT(error_of_log<DataError>("t1 a\nt2 b\n", {}, split, "new.txt"),
              HasSubstr("there are no rows"));
}

/// A log of users u0..u<n-1> with 2 to 6 events each, its lines in a random order.
std::string many_users(int n_users, unsigned seed, bool reversed = false) {
  std::vector<std::string> lines;
  for (int user = 0; user < n_users; ++user) {
    std::string line = "u" + std::to_string(user);
    for (int item = 0; item < 2 + user % 5; ++item) line += " i" + std::to_string(user + item);
    lines.push_back(line + "\n");
  }
  std::mt19937 random(seed);
  std::ranges::shuffle(lines, random);
  if (reversed) std::ranges::reverse(lines);
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

std::set<std::string> users_in(const std::vector<std::string>& rows) {
  std::set<std::string> users;
  for (const std::string& row : rows) users.insert(row.substr(0, row.find(':')));
  return users;
}

TEST(SplitModes, UsersAreHeldOutWhole) {
  SplitOptions split = mode_of(SplitMode::users);
  split.ratios = {0.7, 0.1, 0.2};
  const Rows rows = rows_of(open_log(many_users(100, 1), {}, split, "log.txt"));
  std::set<std::string> parts[3];
  for (std::size_t part = 0; part < 3; ++part) parts[part] = users_in(rows[part]);
  EXPECT_EQ(parts[0].size(), 70U);
  EXPECT_EQ(parts[1].size(), 10U);
  EXPECT_EQ(parts[2].size(), 20U);
  std::set<std::string> all;
  for (const auto& part : parts) all.insert(part.begin(), part.end());
  EXPECT_EQ(all.size(), 100U);
  // Of a user with n events, n - 1 rows.
  std::size_t n_rows = 0;
  for (int user = 0; user < 100; ++user) n_rows += static_cast<std::size_t>(1 + user % 5);
  EXPECT_EQ(rows[0].size() + rows[1].size() + rows[2].size(), n_rows);

  split.targets = SplitTargets::last;
  const Rows last = rows_of(open_log(many_users(100, 1), {}, split, "log.txt"));
  EXPECT_EQ(last[0], rows[0]);
  EXPECT_EQ(last[1].size(), 10U);
  EXPECT_EQ(last[2].size(), 20U);
  EXPECT_EQ(users_in(last[2]), parts[2]);
  for (const std::string& row : last[2])
    EXPECT_NE(std::ranges::find(rows[2], row), rows[2].end()) << row;
}

TEST(SplitModes, UsersDoNotDependOnTheOrderOfTheLog) {
  SplitOptions split = mode_of(SplitMode::users);
  const Rows rows = sorted(rows_of(open_log(many_users(60, 1), {}, split, "log.txt")));
  for (const bool reversed : {false, true})
    EXPECT_EQ(sorted(rows_of(open_log(many_users(60, 7, reversed), {}, split, "log.txt"))), rows);
  split.users_seed = 2;
  EXPECT_NE(sorted(rows_of(open_log(many_users(60, 1), {}, split, "log.txt"))), rows);
}

TEST(SplitModes, SharesOfUsersCountThoseWithRows) {
  SplitOptions split = mode_of(SplitMode::users);
  split.ratios = {8, 1, 1};
  std::string text = many_users(10, 3);
  for (int lone = 0; lone < 30; ++lone) text += "x" + std::to_string(lone) + " i0\n";
  const Dataset dataset = open_log(text, {}, split, "log.txt");
  const Rows rows = rows_of(dataset);
  EXPECT_EQ(users_in(rows[0]).size(), 8U);
  EXPECT_EQ(users_in(rows[1]).size(), 1U);
  EXPECT_EQ(users_in(rows[2]).size(), 1U);
  // Held-out users have no training events, users of one event have it.
  EXPECT_TRUE(
      dataset.train().sequence(dataset.vocabulary().user(*users_in(rows[2]).begin())).empty());
  EXPECT_EQ(dataset.train().sequence(dataset.vocabulary().user("x3")).size(), 1U);
}

TEST(SplitModes, SmallUsersOfARatioSplit) {
  // n events are n - 1 rows: 1, 2 and 3 rows, and the sums over users of 1 to 12 events.
  std::string text;
  for (int user = 1; user <= 12; ++user) {
    text += "u" + std::to_string(user);
    for (int item = 0; item < user; ++item) text += " i" + std::to_string(item);
    text += "\n";
  }
  for (const std::vector<double>& ratios : {std::vector<double>{0.8, 0.1, 0.1}, {8, 1, 1}}) {
    SplitOptions split = mode_of(SplitMode::ratio);
    split.ratios = ratios;
    EXPECT_EQ(counts_of(open_log(text, {}, split, "log.txt")), (Counts{47, 9, 10}));
  }
  SplitOptions two = mode_of(SplitMode::ratio);
  two.ratios = {0.8, 0.2};
  EXPECT_THAT(error_of_log<ConfigError>(text, {}, two, "log.txt"), HasSubstr("three shares"));
}

TEST(SplitModes, SmallUsersOfLeaveOneOut) {
  const std::string text = "u1 a\nu2 a b\nu3 a b c\nu4 a b c d\nu5 d\n";
  const std::pair<HeldOut, Counts> expected[] = {{HeldOut::valid_and_test, {3, 1, 2}},
                                                 {HeldOut::valid_only, {4, 2, 0}},
                                                 {HeldOut::test_only, {4, 0, 2}}};
  for (const auto& [held_out, counts] : expected) {
    SplitOptions split;
    split.held_out = held_out;
    EXPECT_EQ(counts_of(open_log(text, {}, split, "log.txt")), counts);
  }
  EXPECT_THAT(error_of_log<DataError>("u1 a\nu2 b\nu3 c\n", {}, {}, "ones.txt"),
              HasSubstr("no training rows"));
}

TEST(SplitModes, SharesOfAllRowsInTimeOrder) {
  SplitOptions split = mode_of(SplitMode::ratio);
  split.group = RatioGroup::all;
  split.ratios = {0.6, 0.2, 0.2};
  const Dataset dataset = open_log(
      "user_id,item_id,timestamp\nA,a,1\nA,b,2\nA,c,3\nA,d,4\nA,e,5\nB,a,101\nB,b,102\nB,c,103\n"
      "B,d,104\nC,a,50\nC,b,104\nC,c,105\n",
      {}, split, "log.csv");
  EXPECT_EQ(rows_of(dataset)[1], (std::vector<std::string>{"C: a > b"}));
  EXPECT_EQ(rows_of(dataset)[2], (std::vector<std::string>{"C: a b > c"}));
  EXPECT_EQ(counts_of(dataset), (Counts{7, 1, 1}));
}

/// One line of a log.
struct Line {
  std::string user, item;
  int time;
};

std::vector<Line> random_lines(std::mt19937& random) {
  std::vector<Line> lines;
  const int n = 1 + static_cast<int>(random() % 60);
  for (int at = 0; at < n; ++at)
    lines.push_back({"u" + std::to_string(random() % 9), "i" + std::to_string(random() % 12),
                     static_cast<int>(random() % 40)});
  return lines;
}

std::string text_of(const std::vector<Line>& lines) {
  std::string text(testing::kHeader);
  for (const Line& line : lines)
    text += line.user + "\t" + line.item + "\t" + std::to_string(line.time) + "\n";
  return text;
}

/// Rows of a split at two times by its definition.
Rows naive_rows(std::vector<Line> lines, int valid, int test) {
  std::ranges::stable_sort(lines, {}, &Line::time);
  std::map<std::string, std::string> histories;
  Rows rows;
  for (const Line& line : lines) {
    std::string& history = histories[line.user];
    const std::size_t part = line.time < valid ? 0 : line.time < test ? 1 : 2;
    if (!history.empty()) rows[part].push_back(line.user + ":" + history + " > " + line.item);
    history += " " + line.item;
  }
  return sorted(rows);
}

TEST(SplitModes, RandomLogsAtTimesEqualTheDefinition) {
  std::mt19937 random(5);
  int compared = 0;
  for (int round = 0; round < 300; ++round) {
    const std::vector<Line> lines = random_lines(random);
    const int valid = static_cast<int>(random() % 40);
    const int test = valid + static_cast<int>(random() % 10);
    const Rows expected = naive_rows(lines, valid, test);
    if (expected[0].empty()) continue;
    const SplitOptions split = at_times({std::to_string(valid), std::to_string(test)});
    ASSERT_EQ(sorted(rows_of(open_log(text_of(lines), {}, split))), expected) << text_of(lines);
    ++compared;
  }
  EXPECT_GT(compared, 150);
}

TEST(SplitModes, DoNotDependOnThreads) {
  std::mt19937 random(6);
  std::vector<Line> lines;
  for (int at = 0; at < 20000; ++at)
    lines.push_back({"u" + std::to_string(random() % 3000), "i" + std::to_string(random() % 50),
                     static_cast<int>(random() % 100000)});
  const testing::TemporaryFolder folder;
  const std::string file = folder.write("toy.inter", text_of(lines));
  SplitOptions splits[] = {at_times({"40000", "80000"}), last_days({0.2}),
                           mode_of(SplitMode::users), mode_of(SplitMode::test)};
  for (const SplitOptions& split : splits) {
    for (const double gap : {0.0, 3000.0}) {
      DataOptions data;
      data.session_gap = gap;
      std::set<std::string> hashes;
      for (const int threads : {1, 2, 7}) {
        RunContext run(1, threads);
        hashes.insert(Dataset::open(file, data, split, run).hash());
      }
      EXPECT_EQ(hashes.size(), 1U);
    }
  }
}

}  // namespace
}  // namespace recloom
