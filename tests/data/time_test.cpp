// Times of a log: exact whatever they are written in. Seconds of dates are Python's
// (datetime.fromisoformat(text).timestamp(), fractions.Fraction for what it has no digits for).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "data/line_blocks.hpp"
#include "data/log_text.hpp"
#include "data/time_cell.hpp"
#include "data/time_key.hpp"
#include "data/time_text.hpp"
#include "recloom/core/error.hpp"
#include "recloom/data/dataset.hpp"

namespace recloom {
namespace {

using testing::error_of_log;
using testing::items_of;
using testing::kHeader;
using testing::open_log;

/// Read a time as a log's column would; "12345e-3" is 12.345 seconds.
std::string time_of(const std::string& text, const DataOptions& options = {}) {
  try {
    const DecimalTime time = parse_time_text(text, options, "time");
    return std::to_string(time.mantissa) +
           (time.scale == 0 ? "" : "e-" + std::to_string(time.scale));
  } catch (const ConfigError& error) {
    return error.what();
  }
}

std::string time_of(const std::string& text, const std::string& format) {
  DataOptions options;
  options.time_format = format;
  return time_of(text, options);
}

std::string log(std::string_view rows) { return std::string(kHeader).append(rows); }

TEST(Times, ReadsIso8601) {
  const std::vector<std::pair<std::string, std::string>> times = {
      {"2014-04-07T10:51:09.277Z", "1396867869277e-3"},
      {"2009-05-04T23:08:57Z", "1241478537"},
      {"2018-07-07 22:09:11", "1531001351"},
      {"2018/07/07 22:09:11", "1531001351"},
      {"2018-07-07t22:09:11z", "1531001351"},
      {"2018-07-07 22:09:11 UTC", "1531001351"},
      {" 2018-07-07 22:09:11\t", "1531001351"},
      {"2018-07-07T22:09", "1531001340"},
      {"2016-05-09", "1462752000"},
      {"2016/05/09", "1462752000"},
      {"2020-01-01T00:00:00+05:30", "1577817000"},
      {"2020-01-01T00:00:00-0330", "1577849400"},
      {"2020-01-01T00:00:00+01", "1577833200"},
      {"2020-01-01 00:00:00 +0100", "1577833200"},
      {"2020-01-01 00:00:00,5", "15778368005e-1"},
      {"2019-12-31T23:59:60Z", "1577836800"},
      {"2019-12-31T23:59:60.25Z", "157783680025e-2"},
      {"2019-12-31T24:00", "1577836800"},
      {"2020-02-29", "1582934400"},
      {"2000-02-29", "951782400"},
      {"1969-12-31T23:59:59.75", "-25e-2"},
      {"0001-01-01", "-62135596800"},
      {"9999-12-31T23:59:59", "253402300799"},
      {"2014-04-07T10:51:09.123456789Z", "1396867869123456789e-9"},
      {"2014-04-07T10:51:09.100000000000Z", "13968678691e-1"},
      {"1970-01-01T00:00:00.123456789012345678", "123456789012345678e-18"},
  };
  for (const auto& [text, expected] : times) EXPECT_EQ(time_of(text), expected) << text;
}

TEST(Times, RefusesDatesThatNoCalendarHas) {
  for (const std::string text :
       {"2023-02-29", "1900-02-29", "2023-04-31", "2023-13-01", "2023-00-10", "2023-01-00",
        "0000-01-01", "2023-01-01T25:00", "2023-01-01T24:01", "2023-01-01T24:00:00.1",
        "2023-01-01T10:60", "2023-01-01T10:00:61", "2023-01-01T10:00+24:00",
        "2023-01-01T10:00+01:60"}) {
    EXPECT_EQ(time_of(text), "'time' has a day or hour that is in no calendar: '" + text + "'");
  }
}

TEST(Times, RefusesWhatIsNoTime) {
  for (const std::string text : {"noon",
                                 "2023-1-1",
                                 "2023-01/01",
                                 "2023-01-01T",
                                 "2023-01-01T10",
                                 "2023-01-01T10:5",
                                 "2023-01-01T10:05:",
                                 "2023-01-01T10:05:07.",
                                 "2023-01-01T10:05:07X",
                                 "2023-01-01x10:05",
                                 "2023-01-01T10:05+1",
                                 "2023-01-01T10:05+01:",
                                 "2023-01-01T10:05+01:0",
                                 "20230101T101010",
                                 "1e",
                                 "e5",
                                 ".",
                                 "1.2.3",
                                 "1e5.0",
                                 "0x10",
                                 "inf",
                                 "+",
                                 "1 2",
                                 "--1",
                                 "12:30",
                                 "2023-01-01T10:05ZZ",
                                 "2023-01-01T-1:05"}) {
    EXPECT_TRUE(time_of(text).starts_with("'time' is neither a number nor an ISO 8601 time: '"))
        << text << ": " << time_of(text);
  }
  EXPECT_EQ(time_of(""), "time: '' is no time");
}

TEST(Times, ReadsNumbersExactly) {
  const std::vector<std::pair<std::string, std::string>> times = {
      {"0", "0"},
      {"-0.0", "0"},
      {"1.330474e+09", "1330474000"},
      {"1.330474E9", "1330474000"},
      {"1330474000.0", "1330474000"},
      {"1330474000.1234567", "13304740001234567e-7"},
      {"0.1", "1e-1"},
      {".5", "5e-1"},
      {"5.", "5"},
      {"-2.50", "-25e-1"},
      {"+8", "8"},
      {"1700000000000000003", "1700000000000000003"},
      {"1.700000000000000003e18", "1700000000000000003"},
      {"1.7000000000000000030000e18", "1700000000000000003"},
      {"0.000000000000000001", "1e-18"},
      {"0.0000000000000000010000000", "1e-18"},
      {"1e-18", "1e-18"},
      {"100e-20", "1e-18"},
      {"9223372036854775806", "9223372036854775806"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"0e99999999999999999999", "0"},
      {"00000000000000000000000000012", "12"},
  };
  for (const auto& [text, expected] : times) EXPECT_EQ(time_of(text), expected) << text;
  for (const std::string text :
       {"9223372036854775807", "-9223372036854775809", "1e19", "1e-19", "1e99999999999999999999",
        "1e-99999999999999999999", "1e300", "0.1234567890123456789", "18446744073709551616"}) {
    EXPECT_NE(time_of(text).find("of more than 64 bits: '" + text + "'; --set data.time_precision"),
              std::string::npos)
        << text << ": " << time_of(text);
  }
}

TEST(Times, UnitsAreSecondsInTheEnd) {
  DataOptions options;
  options.time_unit = TimeUnit::milliseconds;
  EXPECT_EQ(time_of("1396867869277", options), "1396867869277e-3");
  EXPECT_EQ(time_of("1.5", options), "15e-4");
  EXPECT_EQ(time_of("2014-04-07T10:51:09.277Z", options), "1396867869277e-3");
  options.time_unit = TimeUnit::nanoseconds;
  EXPECT_EQ(time_of("1396867869277000001", options), "1396867869277000001e-9");
  EXPECT_EQ(time_of("1e9", options), "1000000000e-9");
}

TEST(Times, ReadsAGivenFormat) {
  EXPECT_EQ(time_of("Tue Apr 03 18:00:09 +0000 2012", "%a %b %d %H:%M:%S %z %Y"), "1333476009");
  EXPECT_EQ(time_of("09 13, 2009", "%m %d, %Y"), "1252800000");
  EXPECT_EQ(time_of("12/31/2020 11:59:59 PM", "%m/%d/%Y %I:%M:%S %p"), "1609459199");
  EXPECT_EQ(time_of("12/31/2020 12:00:00 AM", "%m/%d/%Y %I:%M:%S %p"), "1609372800");
  EXPECT_EQ(time_of("31.12.2020 23:59", "%d.%m.%Y %H:%M"), "1609459140");
  EXPECT_EQ(time_of("20150607", "%Y%m%d"), "1433635200");
  EXPECT_EQ(time_of("2014-04-07 10:51:09.277", "%Y-%m-%d %H:%M:%S"), "1396867869277e-3");
  EXPECT_EQ(time_of("2014-04-07 10:51:09.123456789", "%Y-%m-%d %H:%M:%S"),
            "1396867869123456789e-9");
  EXPECT_EQ(time_of("2014-04-07 10:51:09.277", "%Y-%m-%d %H:%M:%S.%f"), "1396867869277e-3");
  EXPECT_EQ(time_of("1500-01-01 00:00:60.5", "%Y-%m-%d %H:%M:%S"), "-148317695395e-1");
  EXPECT_EQ(time_of("2020-01-01T00:00:00+05:30", "%Y-%m-%dT%H:%M:%S%z"), "1577817000");
  EXPECT_EQ(time_of("2020-01-01T00:00:00+0530", "%Y-%m-%dT%H:%M:%S%z"), "1577817000");
  EXPECT_EQ(time_of("5 March 2011", "%d %B %Y"), "1299283200");
  EXPECT_EQ(time_of("01.02.99", "%d.%m.%y"), "917827200");
}

TEST(Times, RefusesWhatAFormatDoesNotSay) {
  for (const std::string text : {"31/12/2020x", "31/12", "x31/12/2020", "31.12.2020", "2020-12-31",
                                 "1609459200", "31/12/2020 10:00"}) {
    EXPECT_TRUE(time_of(text, "%d/%m/%Y")
                    .starts_with("'time' is no time as data.time_format = \"%d/%m/%Y\" writes it"))
        << text;
  }
  for (const std::string text : {"29/02/2023", "32/01/2023", "01/13/2023", "00/01/2023"}) {
    EXPECT_NE(time_of(text, "%d/%m/%Y").find("data.time_format = \"%d/%m/%Y\""), std::string::npos);
  }
  for (const std::string text : {"2020-01-01 25:00:00", "2020-01-01 10:60:00",
                                 "2020-01-01 10:00:61", "2020-01-01 10:00:09.1234567891"}) {
    EXPECT_NE(time_of(text, "%Y-%m-%d %H:%M:%S").find("data.time_format"), std::string::npos)
        << text;
  }
  for (const std::string format : {"%H:%M", "%Y-%m", "%Q", "%Y-%m-%d %", "x", "%j %Y"}) {
    DataOptions options;
    options.time_format = format;
    EXPECT_TRUE(error_of_log<ConfigError>(log("a\tx\t1\n"), options)
                    .starts_with("data.time_format = \"" + format + "\": "));
  }
}

TEST(Times, AnErrorNamesTheFormatThatReadsTheCell) {
  const auto remedy = [](const std::string& text) {
    const std::string error = time_of(text);
    const std::string key = "data.time_format=";
    const std::size_t at = error.find(key), begin = at + key.size();
    return error.substr(begin, error.find(error[at - 1], begin) - begin);
  };
  for (const std::string text :
       {"12/05/2020 10:31", "13.05.2020", "09 13, 2009", "Tue Apr 03 18:00:09 +0000 2012",
        "5.1.2020 10:31:05", "2014-4-7", "13/Feb/2020:10:10:10 +0100", "Mar 5, 2011",
        "1/15/2020 3:04 PM", "20200101T101010Z"}) {
    EXPECT_EQ(time_of(text, remedy(text)).find_first_not_of("-0123456789"), std::string::npos)
        << text << ": " << remedy(text);
  }
}

TEST(Times, AreWrittenForPeople) {
  EXPECT_EQ(format_time(1396867869277, {3, false}), "2014-04-07T10:51:09.277Z");
  EXPECT_EQ(format_time(13968678692, {1, false}), "2014-04-07T10:51:09.2Z");
  EXPECT_EQ(format_time(-25, {2, false}), "1969-12-31T23:59:59.75Z");
  EXPECT_EQ(format_time(951782400, {}), "2000-02-29T00:00:00Z");
  EXPECT_EQ(format_time(-62135596800, {}), "0001-01-01T00:00:00Z");
  EXPECT_EQ(format_time(1700000000000, {}), "1700000000000 s");
  EXPECT_EQ(format_time(real_time_key(1396867869277), {3, true}), "2014-04-07T10:51:09.277Z");
}

TEST(Times, ABoundaryIsTheFirstKeyThatIsNotEarlier) {
  EXPECT_EQ(first_key_at({1500, 3}, {0, false}), 2);
  EXPECT_EQ(first_key_at({1000, 3}, {0, false}), 1);
  EXPECT_EQ(first_key_at({-1500, 3}, {0, false}), -1);
  EXPECT_EQ(first_key_at({2, 0}, {3, false}), 2000);
  EXPECT_EQ(first_key_at({1LL << 60, 0}, {9, false}), kMissingTime);
  EXPECT_EQ(first_key_at({-(1LL << 60), 0}, {9, false}), INT64_MIN);
  EXPECT_EQ(first_key_at({1396867869, 0}, {3, true}),
            real_time_key(static_cast<double>(static_cast<float>(1396867869000.0))));
}

TEST(Times, KindsAreOrderedTogether) {
  const std::string text =
      log("a\tthird\t1396867869\na\tfourth\t2014-04-07T10:51:09.000000001Z\n"
          "a\tsixth\t1396867869.5\na\tfifth\t2014-04-07 12:51:09.25+02:00\n"
          "a\tfirst\t2014-04-07\na\tsecond\t1.396867868e9\n");
  EXPECT_EQ(items_of(open_log(text), "a"), "first second third fourth fifth sixth");
}

TEST(Times, NumbersLikeDatesBesideDatesAreErrors) {
  const std::string header(testing::kHeader);
  const std::string number = error_of_log<DataError>(header + "a\tx\t2009-05-04\na\ty\t20090505\n");
  EXPECT_TRUE(number.starts_with("toy.inter:3: 'timestamp' is the number 20090505")) << number;
  EXPECT_NE(number.find("--set data.time_format=%Y%m%d"), std::string::npos) << number;
  EXPECT_NE(
      error_of_log<DataError>(header + "a\tx\t20090504\na\ty\t2009-05-05\n").find("toy.inter:"),
      std::string::npos);
  EXPECT_EQ(open_log(header + "a\tx\t20090504\na\ty\t20090505\n").n_interactions(), 2);
}

TEST(Times, YearsOfTwoDigitsAreAskedFor) {
  const std::string text = std::string(testing::kHeader) + "a\tx\t12-04-03\na\ty\t13-04-03\n";
  DataOptions options;
  options.time_format = "%d-%m-%Y";
  const std::string message = error_of_log<DataError>(text, options);
  EXPECT_NE(message.find("--set data.time_format=%d-%m-%y reads it"), std::string::npos) << message;
  EXPECT_NE(error_of_log<DataError>(text).find("data.time_format=%d-%m-%y"), std::string::npos);
  options.time_format = "%y-%m-%d";
  EXPECT_EQ(open_log(text, options).n_interactions(), 2);
}

TEST(Times, AHeaderOnceMoreIsToldSo) {
  const std::string rows = "u,x,1\nu,y,2\n", header = "user_id,item_id,timestamp\n";
  EXPECT_EQ(error_of_log<DataError>(header + rows + header + rows, {}, {}, "t.csv"),
            "t.csv:4: the header once more (two files joined?); leave this line out");
  const std::string atomic(testing::kHeader);
  EXPECT_EQ(error_of_log<DataError>(atomic + "u\tx\t1\n" + atomic),
            "toy.inter:3: the header once more (two files joined?); leave this line out");
}

TEST(Times, LargeNumbersBesideDatesAreErrors) {
  const std::string dates = log("a\tx\t2014-04-07\n"), number = "a\ty\t1396867869277\n";
  EXPECT_TRUE(error_of_log<DataError>(dates + number)
                  .starts_with("toy.inter:3: 'timestamp' is the number 1396867869277 in a column "
                               "with dates"));
  EXPECT_TRUE(error_of_log<DataError>(log(number) + "a\tx\t2014-04-07\n")
                  .starts_with("toy.inter:2: 'timestamp' is the number 1396867869277"));
  DataOptions options;
  options.time_precision = TimePrecision::float32;
  EXPECT_TRUE(error_of_log<DataError>(dates + number, options)
                  .starts_with("toy.inter:3: 'timestamp' is the number 1396867869277"));
  options = {};
  options.time_unit = TimeUnit::milliseconds;
  EXPECT_EQ(items_of(open_log(dates + number, options), "a"), "x y");
  // The numbers lie blocks before the date: its line is named.
  std::string far = log("");
  for (int row = 0; row < 200000; ++row) far += "a\tx\t1396867869277\n";
  EXPECT_TRUE(error_of_log<DataError>(far + "a\tx\t2014-04-07\n")
                  .starts_with("toy.inter:200002: 'timestamp' is a date in a column with numbers "
                               "of 1e11 and more, or such as 20090504: '2014-04-07'"));
}

TEST(Times, WhatDoesNotFitTogetherIsAnError) {
  const std::string large = "a\tx\t1700000000000000003\n", fine = "a\ty\t0.01\n";
  EXPECT_TRUE(error_of_log<DataError>(log(large + fine)).starts_with("toy.inter:3: 'timestamp'"));
  EXPECT_TRUE(error_of_log<DataError>(log(fine + large)).starts_with("toy.inter:3: 'timestamp'"));
  DataOptions options;
  options.time_precision = TimePrecision::float32;
  EXPECT_EQ(items_of(open_log(log(large + fine), options), "a"), "y x");
  // The same where they stand in different blocks, read together or not.
  for (const int rows : {20000, 400000}) {
    std::string between;
    for (int row = 0; row < rows; ++row) between += "b\tx\t100\n";
    const std::string line = "toy.inter:" + std::to_string(rows + 3) + ": 'timestamp'";
    const std::string first = "toy.inter:2: 'timestamp'";
    for (const std::string& text : {log(large + between + fine), log(fine + between + large)}) {
      const std::string error = error_of_log<DataError>(text);
      EXPECT_TRUE(error.starts_with(line) || (rows == 20000 && error.starts_with(first))) << error;
    }
  }
}

/// Seconds and nanoseconds, written in one of the ways that a column may mix.
std::string written(std::int64_t seconds, int nanoseconds, int way) {
  const std::string fraction = std::to_string(1'000'000'000 + nanoseconds).substr(1);
  if (way == 0) return format_time(seconds * 1'000'000'000 + nanoseconds, {9, false});
  const std::string number = std::to_string(seconds) + "." + fraction;
  if (way == 1) return number;
  // With the point behind the first digit.
  std::string digits = std::to_string(seconds);
  return digits.substr(0, 1) + "." + digits.substr(1) + fraction + "e" +
         std::to_string(digits.size() - 1);
}

TEST(Times, SortAsTheirNanosecondsDo) {
  std::mt19937 random(7);
  std::vector<std::pair<std::int64_t, std::string>> events;
  std::string text(kHeader);
  for (int row = 0; row < 30000; ++row) {
    const auto seconds = static_cast<std::int64_t>(1'400'000'000 + random() % 3);
    const bool whole = row < 15000;  // Blocks of integers, then blocks of all kinds.
    const int nanoseconds = whole ? 0 : static_cast<int>(random() % 1'000'000'000);
    const std::string item = "i" + std::to_string(row);
    const std::string time =
        whole ? std::to_string(seconds) : written(seconds, nanoseconds, static_cast<int>(row % 3));
    events.emplace_back(seconds * 1'000'000'000 + nanoseconds, item);
    text += "a\t" + item + "\t" + time + "\n";
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string expected;
  for (const auto& [time, item] : events) expected += (expected.empty() ? "" : " ") + item;
  EXPECT_EQ(items_of(open_log(text), "a"), expected);
}

TEST(Times, MeansOfMissingOnesLieBetweenTheirNeighbours) {
  DataOptions options;
  options.missing_time = MissingTime::mean;
  // Means 7/3, -7/3, and one of nanoseconds that no decimal is left for.
  EXPECT_EQ(items_of(open_log(log("a\tx\t1\na\ty\tNA\na\tz\t4\na\tw\t2\na\tv\t2.5\n"
                                  "b\tx\t2.1\n"),
                              options),
                     "a"),
            "x w y v z");
  EXPECT_EQ(items_of(open_log(log("a\tx\t-1\na\ty\tNA\na\tz\t-4\na\tw\t-2\n"), options), "a"),
            "z y w x");
  EXPECT_EQ(items_of(open_log(log("a\tx\t1700000000000000009\na\ty\tNA\n"
                                  "a\tz\t1700000000000000003\n"),
                              options),
                     "a"),
            "z y x");
  EXPECT_EQ(items_of(open_log(log("a\tx\t2014-04-09\na\ty\tNA\na\tz\t2014-04-07\n"), options), "a"),
            "z y x");
}

/// Read a table of these columns: user, item and time.
Dataset table(const std::string& text, const std::string& user, const std::string& item,
              const std::string& time, const SplitOptions& split = {}) {
  DataOptions options;
  options.user_column = user;
  options.item_column = item;
  options.time_column = time;
  return open_log(text, options, split, "toy.csv");
}

TEST(Times, OrderPublicLogs) {
  // A listening log: newest first, seconds with Z.
  EXPECT_EQ(items_of(table("user\ttime\ttrack\n"
                           "u1\t2009-05-04T23:08:57Z\tc\nu1\t2009-05-04T13:54:10Z\tb\n"
                           "u1\t2009-05-04T13:52:04Z\ta\n",
                           "user", "track", "time"),
                     "u1"),
            "a b c");
  // Clicks: milliseconds.
  EXPECT_EQ(items_of(table("session,time,item\n1,2014-04-07T10:54:09.868Z,c\n"
                           "1,2014-04-07T10:51:09.277Z,a\n1,2014-04-07T10:54:09.867Z,b\n",
                           "session", "item", "time"),
                     "1"),
            "a b c");
  // Purchases: days, ties in the order of the file, tokens with zeros in front.
  EXPECT_EQ(items_of(table("t_dat,customer_id,article_id\n2018-09-20,c1,0663713001\n"
                           "2018-09-20,c1,0541518023\n2018-09-22,c1,0505221004\n"
                           "2018-09-19,c1,0000000001\n",
                           "customer_id", "article_id", "t_dat"),
                     "c1"),
            "0000000001 0663713001 0541518023 0505221004");
  // Views: milliseconds since a session began, beside a day that says less.
  const std::string views =
      "sessionId;itemId;timeframe;eventdate\n1;81766;526309;2016-05-09\n"
      "1;31331;1031018;2016-05-09\n1;32118;243569;2016-05-09\n";
  EXPECT_EQ(items_of(table(views, "sessionId", "itemId", "timeframe"), "1"), "32118 81766 31331");
  EXPECT_EQ(items_of(table(views, "sessionId", "itemId", "eventdate"), "1"), "81766 31331 32118");
  // Seconds that single precision cannot tell apart.
  const std::string close = log("A\ta\t1700000003\nA\tb\t1700000001\nA\tc\t1700000002\n");
  EXPECT_EQ(items_of(open_log(close), "A"), "b c a");
  DataOptions rounded;
  rounded.time_precision = TimePrecision::float32;
  EXPECT_EQ(items_of(open_log(close, rounded), "A"), "a b c");
}

TEST(Times, ACommaIsNoPoint) {
  EXPECT_EQ(time_of("20,5"),
            "'time' has a comma where numbers have a point: '20,5'; `tr , . <FILE | recloom data "
            "stats -` writes points, where no comma parts the cells");
}

TEST(Times, RangesAreInTheFilesUnit) {
  const std::string text = log("a\tx\t1396867869250\na\ty\t1396867869277.5\n");
  DataOptions options;
  options.time_unit = TimeUnit::milliseconds;
  for (const TimePrecision precision : {TimePrecision::exact, TimePrecision::float32}) {
    options.time_precision = precision;
    EXPECT_EQ(open_log(text, options).times().first, 1396867869250);
    EXPECT_EQ(open_log(text, options).times().last, 1396867869277.5);
  }
  EXPECT_EQ(open_log(log("a\tx\t2014-04-07\na\ty\t2014-04-08\n")).times().last, 1396915200);
}

}  // namespace
}  // namespace recloom
