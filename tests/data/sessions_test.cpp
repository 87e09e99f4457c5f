// Sessions that a pause ends: rows by hand, and against a naive reference for random logs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "data/log_text.hpp"
#include "data/row_text.hpp"
#include "data/time_key.hpp"
#include "data/time_spans.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

using ::testing::AllOf;
using testing::error_of_log;
using ::testing::HasSubstr;
using testing::items_of;
using testing::open_log;
using testing::Rows;
using testing::rows_of;
using testing::sorted;

DataOptions with_gap(double seconds) {
  DataOptions data;
  data.session_gap = seconds;
  return data;
}

SplitOptions all_train() {
  SplitOptions split;
  split.mode = SplitMode::none;
  return split;
}

constexpr std::string_view kTwoUsers =
    "user_id,item_id,timestamp\nu,a,100\nv,a,0\nu,b,160\nu,c,221\nu,d,100\nv,b,1000\nu,e,282\n";

TEST(Sessions, EndWhereMoreThanTheGapPasses) {
  const Dataset dataset = open_log(kTwoUsers, with_gap(60), all_train(), "log.csv");
  EXPECT_EQ(rows_of(dataset), (Rows{{{"u#1: a > d", "u#1: a d > b"}, {}, {}}}));
  EXPECT_EQ(items_of(dataset, "u#2"), "c");
  EXPECT_EQ(items_of(dataset, "u#3"), "e");
  EXPECT_EQ(items_of(dataset, "v#2"), "b");
  EXPECT_EQ(dataset.catalogue().n_users, 6);
  EXPECT_EQ(dataset.vocabulary().users()[1], "u#1");
  // 61 seconds are no more than 61.
  EXPECT_EQ(items_of(open_log(kTwoUsers, with_gap(61), all_train(), "log.csv"), "u#1"),
            "a d b c e");
  // A gap of 0 leaves users whole.
  EXPECT_EQ(items_of(open_log(kTwoUsers, {}, all_train(), "log.csv"), "u"), "a d b c e");
}

TEST(Sessions, AreExactInAnyUnit) {
  const auto sessions = [](std::string_view times, const DataOptions& data) {
    std::string log = "user_id,item_id,timestamp\n";
    for (int item = 0; !times.empty(); ++item) {
      const std::size_t end = std::min(times.find(' '), times.size());
      log += "u,i" + std::to_string(item) + "," + std::string(times.substr(0, end)) + "\n";
      times.remove_prefix(std::min(end + 1, times.size()));
    }
    return open_log(log + "v,i,7\nv,i,7\n", data, all_train(), "log.csv").catalogue().n_users - 2;
  };
  DataOptions data = with_gap(1800);
  EXPECT_EQ(sessions("0 1800 3600", data), 1);
  EXPECT_EQ(sessions("0 1800 3600.000000001", data), 2);
  EXPECT_EQ(sessions("1970-01-01T00:00:00Z 1970-01-01T00:30:00Z 3601", data), 2);
  EXPECT_EQ(sessions("0 0.3 0.6000000001", with_gap(0.3)), 2);
  data.time_unit = TimeUnit::milliseconds;
  EXPECT_EQ(sessions("0 1800000 3600001", data), 2);
  EXPECT_EQ(sessions("1600000000000 1600001800000 1600003600001", data), 2);
  data.time_precision = TimePrecision::float32;
  EXPECT_EQ(sessions("0 1800000 3600001", data), 2);
}

TEST(Sessions, FollowTheRulesOfUsers) {
  // Counts are those of sessions: c and e fall, and so does v.
  DataOptions data = with_gap(60);
  data.user_interval = "[2,inf)";
  const Dataset core = open_log(kTwoUsers, data, all_train(), "log.csv");
  EXPECT_EQ(core.n_interactions(), 3);
  // So are duplicates.
  data = with_gap(10);
  data.duplicates = Duplicates::first;
  const Dataset distinct =
      open_log("user_id,item_id,timestamp\nu,a,1\nu,a,2\nu,b,3\nu,a,100\nu,b,101\n", data,
               all_train(), "log.csv");
  EXPECT_EQ(items_of(distinct, "u#1"), "a b");
  EXPECT_EQ(items_of(distinct, "u#2"), "a b");
}

TEST(Sessions, AreCutFromTheEventsThatFiltersLeave) {
  DataOptions data = with_gap(10);
  data.value_intervals = {"action in buy"};
  const Dataset dataset =
      open_log("user_id,item_id,timestamp,action\nu,a,1,buy\nu,b,8,view\nu,c,15,buy\nu,d,20,buy\n",
               data, all_train(), "log.csv");
  EXPECT_EQ(items_of(dataset, "u#1"), "a");
  EXPECT_EQ(items_of(dataset, "u#2"), "c d");
}

TEST(Sessions, KeepTheUsersThatTheirTableKnows) {
  const testing::TemporaryFolder folder;
  folder.write("s.user", "user_id:token\nu\nidle\n");
  const std::string log = folder.write(
      "s.inter", std::string(testing::kHeader) + "u\ta\t1\nv\ta\t1\nu\tb\t2\nu\tc\t50\n");
  RunContext run(1, 2);
  const Dataset dataset = Dataset::open(log, with_gap(10), all_train(), run);
  EXPECT_EQ(dataset.vocabulary().users(), (std::vector<std::string>{"[PAD]", "u#1", "u#2"}));
}

TEST(Sessions, NeedTimes) {
  EXPECT_THAT(error_of_log<ConfigError>("u a b c\n", with_gap(60), all_train(), "log.txt"),
              AllOf(HasSubstr("data.session_gap"), HasSubstr("data.time_column")));
  EXPECT_THAT(
      error_of_log<ConfigError>("user_id,item_id,timestamp\nu,a,1600000000000\nu,b,1600000060000\n",
                                with_gap(60), all_train(), "log.csv"),
      AllOf(HasSubstr("data.session_gap"), HasSubstr("--set data.time_unit=milliseconds")));
}

TEST(Sessions, RandomLogsEqualTheDefinition) {
  struct Line {
    std::string user, item;
    int time;
  };
  std::mt19937 random(9);
  for (int round = 0; round < 200; ++round) {
    std::vector<Line> lines;
    for (int n = 2 + static_cast<int>(random() % 60); n > 0; --n)
      lines.push_back({"u" + std::to_string(random() % 4), "i" + std::to_string(random() % 9),
                       static_cast<int>(random() % 100)});
    std::string text(testing::kHeader);
    for (const Line& line : lines)
      text += line.user + "\t" + line.item + "\t" + std::to_string(line.time) + "\n";
    const int gap = 1 + static_cast<int>(random() % 12);
    std::ranges::stable_sort(lines, {}, &Line::time);
    struct State {
      int session = 0, last = 0;
      std::string history;
    };
    std::map<std::string, State> states;
    Rows expected;
    for (const Line& line : lines) {
      State& state = states[line.user];
      if (state.session == 0 || line.time - state.last > gap) {
        ++state.session;
        state.history.clear();
      }
      if (!state.history.empty())
        expected[0].push_back(line.user + "#" + std::to_string(state.session) + ":" +
                              state.history + " > " + line.item);
      state.history += " " + line.item;
      state.last = line.time;
    }
    if (expected[0].empty()) continue;
    ASSERT_EQ(sorted(rows_of(open_log(text, with_gap(gap), all_train()))), sorted(expected))
        << "gap " << gap << "\n"
        << text;
  }
}

TEST(TimeSpans, AreTheDecimalsThatAreWritten) {
  const TimeScale tenths{1, false}, nanoseconds{9, false};
  EXPECT_FALSE(TimeSpan(0.3, tenths).is_shorter_than(0, 3));
  EXPECT_TRUE(TimeSpan(0.3, tenths).is_shorter_than(0, 4));
  for (const std::int64_t tenth : {1, 2, 3, 6, 7, 11, 12345, 36007}) {
    const TimeSpan span(static_cast<double>(tenth) / 10, nanoseconds);
    const std::int64_t keys = tenth * 100'000'000;
    EXPECT_FALSE(span.is_shorter_than(-5, keys - 5)) << tenth;
    EXPECT_TRUE(span.is_shorter_than(-5, keys - 4)) << tenth;
    EXPECT_EQ(span.first_key_before(0), -keys);
  }
  // Whole seconds are exact, however many.
  EXPECT_TRUE(TimeSpan(1e9, nanoseconds).is_shorter_than(0, 1'000'000'000'000'000'001));
  EXPECT_FALSE(TimeSpan(1e9, nanoseconds).is_shorter_than(0, 1'000'000'000'000'000'000));
  // Nothing overflows.
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_TRUE(TimeSpan(5, nanoseconds).is_shorter_than(kLeast, kMost));
  EXPECT_EQ(TimeSpan(1e300, nanoseconds).first_key_before(-5), kLeast);
  const TimeScale real{0, true};
  EXPECT_TRUE(TimeSpan(0.5, real).is_shorter_than(real_time_key(1.0), real_time_key(1.75)));
  EXPECT_FALSE(TimeSpan(0.5, real).is_shorter_than(real_time_key(1.0), real_time_key(1.5)));
  EXPECT_EQ(TimeSpan(0.5, real).first_key_before(real_time_key(1.0)), real_time_key(0.5));
}

}  // namespace
}  // namespace recloom
