// What a file without a format is taken for: a real log, written in the ways that logs are found
// in.
#include "data/format_guess.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/text.hpp"
#include "data/log_text.hpp"
#include "data/stream.hpp"
#include "recloom/core/error.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using testing::error_of_log;
using testing::items_of;
using testing::open_log;

struct Event {
  std::string user, item, time;
};

/// The first rows of the shipped log.
std::vector<Event> events() {
  const RunContext run;
  const auto file = testing::source_dir() / "datasets" / "online-retail" / "online-retail.inter.gz";
  std::string text(1 << 15, ' ');
  text.resize(open_stream(file.string(), run)->read(text));
  std::vector<Event> list;
  for (const std::string& line : split(text, '\n')) {
    const std::vector<std::string> cells = split(line, '\t');
    if (cells.size() == 3 && list.size() < 500) list.push_back({cells[0], cells[1], cells[2]});
  }
  list.erase(list.begin());  // The header.
  return list;
}

/// Rows of user, item, rating and time, written by a function.
std::string rows(const std::function<std::string(const Event&, const std::string& rating)>& write,
                 const std::string& header = "") {
  std::string text = header;
  int rating = 0;
  for (const Event& event : events()) {
    rating = rating % 5 + 1;
    text += write(event, std::to_string(rating)) + "\n";
  }
  return text;
}

std::string joined(const Event& event, const std::string& rating, const std::string& mark) {
  return event.user + mark + event.item + mark + rating + mark + event.time;
}

/// Refused as a table for this reason; the message ends with the settings that read it.
void refuses(const std::string& text, const std::string& sign, const std::string& settings,
             const std::string& name = "toy.txt") {
  const std::string message = error_of_log<DataError>(text, {}, {}, name);
  EXPECT_NE(message.find(" (" + sign + ")"), std::string::npos) << message;
  EXPECT_NE(message.find("--set data.format=csv " + settings), std::string::npos) << message;
  EXPECT_TRUE(message.starts_with(name + ":1: this ")) << message;
}

const std::string kColumns =
    R"(--set 'data.columns=["user_id", "item_id", "rating", "timestamp"]' --set )";

TEST(FormatGuess, NeverTakesATableForSequences) {
  for (const std::string mark : {"\t", " "}) {
    const std::string separator =
        mark == " " ? R"('data.separator=" "')" : R"('data.separator="\t"')";
    const auto write = [&](const Event& event, const std::string& rating) {
      return joined(event, rating, mark);
    };
    const std::string sign = mark == "\t" ? "lines of 4 cells, parted by tabs"
                                          : "lines of 4 cells, the last of them a time";
    refuses(rows(write), sign, kColumns + separator);
    refuses(rows(write, "userId" + mark + "movieId" + mark + "rating" + mark + "timestamp\n"),
            "line 1 has the names 'userId' and 'movieId'",
            "--set data.user_column=userId --set data.item_column=movieId --set "
            "data.time_column=timestamp --set " +
                separator);
    refuses(rows(write, "wer" + mark + "was" + mark + "wie" + mark + "wann\n"), sign,
            "--set data.user_column=wer --set data.item_column=was --set data.time_column=wann");
  }
  for (const std::string mark : {",", ";", "|", "::"}) {
    const auto write = [&](const Event& event, const std::string& rating) {
      return joined(event, rating, mark);
    };
    const std::string setting = "data.separator=" + mark;
    const std::string quoted = mark == ";" || mark == "|" ? "'" + setting + "'" : setting;
    refuses(rows(write), "lines of 4 cells, parted by '" + mark + "'", kColumns + quoted);
    refuses(rows(write, "CustomerID" + mark + "ProductID" + mark + "Stars" + mark + "When\n"),
            "line 1 has the names 'CustomerID' and 'ProductID'",
            "--set data.user_column=CustomerID --set data.item_column=ProductID --set "
            "data.time_column=When --set " +
                quoted);
  }
  refuses(
      rows([](const Event& e, const std::string&) { return e.user + " " + e.item + " " + e.time; }),
      "lines of 3 cells, the last of them a time",
      R"(--set 'data.columns=["user_id", "item_id", "timestamp"]' --set 'data.separator=" "')");
  refuses(
      rows([](const Event& e, const std::string& r) { return e.user + " " + e.item + " " + r; }),
      "lines of 3 cells, the last of them a rating",
      R"(--set 'data.columns=["user_id", "item_id", "rating"]' --set 'data.separator=" "' )"
      "--set data.time_column=none");
  refuses(rows([](const Event& e, const std::string& r) {
            return e.user + " " + e.item + " " + r + " 2010-12-01 08:26:00";
          }),
          "lines of 5 cells, one of them a date, the next its time of day",
          R"(--set 'data.columns=["user_id", "item_id", "rating", "timestamp", "column_5"]' --set )"
          "data.time_column=timestamp+column_5 --set 'data.separator=\" \"'");
  refuses(rows([](const Event& e, const std::string& r) {
            return "u" + e.user + "\ti" + e.item + "\tr" + r;
          }),
          "lines of 3 cells, parted by tabs", "--set 'data.columns=");
}

TEST(FormatGuess, KnowsTablesOfFewRows) {
  refuses("0 10 5.0\n0 11 3.0\n1 10 4.0\n", "lines of 3 cells, the last of them a rating",
          R"(--set 'data.columns=["user_id", "item_id", "rating"]')");
  refuses("0 0 1\n0 1 1\n1 2 1\n1 3 1\n", "lines of 3 cells, the last of them a rating",
          R"(--set 'data.columns=["user_id", "item_id", "rating"]')");
  refuses("2 51 13883\n2 52 11690\n3 51 2\n", "lines of 3 cells, the last of them a number",
          R"(--set 'data.columns=["user_id", "item_id", "column_3"]')");
  refuses("7 2012-04-03T18:00:09Z 30.2359 -97.7951 x\n8 2012-04-03T18:00:09Z 30.23 -97.79 y\n",
          "lines of 5 cells, one of them a date",
          R"(--set 'data.columns=["user_id", "timestamp", "latitude", "longitude", "item_id"]')");
  refuses("7 x 30.2359 -97.7951\n8 y 30.23 -97.79\n", "lines of 4 cells, some of them coordinates",
          R"(--set 'data.columns=["user_id", "item_id", "latitude", "longitude"]')");
  refuses("a::x::5::978300001\n", "lines of 4 cells, parted by '::'",
          kColumns + "data.separator=::");
  refuses("a\tx\t1554440706123\nb\ty\t1554440706124\n", "lines of 3 cells, the last of them a time",
          R"(--set 'data.columns=["user_id", "item_id", "timestamp"]' --set 'data.separator="\t"' )"
          "--set data.time_unit=milliseconds");
  refuses(
      "470\t49b\tTue Apr 03 18:00:09 +0000 2012\n470\t4a4\tTue Apr 03 18:00:25 +0000 2012\n"
      "9\t49b\tTue Apr 03 18:02:24 +0000 2012\n",
      "lines of 3 cells, parted by tabs",
      R"(--set 'data.columns=["user_id", "item_id", "timestamp"]' --set 'data.separator="\t"' )"
      "--set 'data.time_format=%a %b %d %H:%M:%S %z %Y'");
}

TEST(FormatGuess, KnowsWordsOverNumbersAndNumbersThatAreNoItems) {
  refuses("wer was\n1 10\n1 11\n2 10\n",
          "line 1 has the words 'wer' and 'was', the other lines have numbers there",
          "--set data.user_column=wer --set data.item_column=was");
  std::string vectors;
  for (int row = 0; row < 4; ++row) {
    vectors += "w" + std::to_string(row);
    for (int at = 0; at < 3 + row; ++at) vectors += " 0." + std::to_string(31 * row + 7 * at + 1);
    vectors += "\n";
  }
  refuses(vectors, "lines of decimal numbers, nearly all different", "");
  refuses("u1,a,b\nu2,a\nu3,c,d,e\n", "lines without blanks, parted by ','", "");
}

// One line of another length hides no table, and neither does being alone.
TEST(FormatGuess, KnowsTablesOfUnevenLines) {
  refuses("196\t242\t3\t881250949\n196\t302\t3\t881250950\n22\t377\t1\n",
          "lines of 4 cells, parted by tabs", kColumns);
  for (const std::string mark : {" ", "::", "\t"}) {
    for (const int odd : {0, 3}) {
      std::string text;
      for (int row = 0; row < 200; ++row) {
        const std::string user = std::to_string(row % 20 + 1), item = std::to_string(row * 7 % 50);
        text += user + mark + item;
        if (row != odd) text += mark + "4" + mark + std::to_string(881250949 + row);
        text += "\n";
      }
      refuses(text,
              mark == " "    ? "lines of 4 cells, the last of them a time"
              : mark == "::" ? "lines of 4 cells, parted by '::'"
                             : "lines of 4 cells, parted by tabs",
              kColumns);
    }
  }
  refuses("196\t242\t3\t881250949\n", "lines of 4 cells, the last of them a time", kColumns);
  refuses("0\t2010-10-19T23:55:27Z\t30.2359091167\t-97.7951395833\t22847\n",
          "lines of 5 cells, one of them a date",
          R"(--set 'data.columns=["user_id", "timestamp", "latitude", "longitude", "item_id"]')");
  std::string wide;
  for (int row = 0; row < 200; ++row) {
    wide += std::to_string(row) + " i" + std::to_string(row % 9) + " 5 " +
            std::to_string(881250949 + row);
    for (int at = 0; at < 10; ++at) wide += " " + std::to_string(at * row % 31);
    wide += "\n";
  }
  refuses(wide, "lines of 14 cells, one of them a time",
          R"(--set 'data.columns=["user_id", "item_id", "rating", "timestamp", "column_5")");
}

TEST(FormatGuess, KnowsTimesInTheFirstColumn) {
  const std::string columns = R"(--set 'data.columns=["timestamp", "user_id", "item_id"]')";
  for (const std::string mark : {" ", "\t", ",", "::"}) {
    for (const std::string day : {"97830076", "2009-01-0", "2009-01-02 10:00:0"}) {
      if (mark == " " && day.find(' ') != std::string::npos) continue;
      const std::string text = day + "1" + mark + "1" + mark + "10\n" + day + "2" + mark + "1" +
                               mark + "11\n" + day + "3" + mark + "2" + mark + "10\n";
      const std::string message = error_of_log<DataError>(text, {}, {}, "toy.txt");
      EXPECT_NE(message.find(columns), std::string::npos) << message;
    }
  }
  const std::string clock = error_of_log<DataError>(
      "2009-01-01 10:00:00 1 10\n2009-01-01 10:00:01 1 11\n2009-01-02 10:00:00 2 10\n", {}, {},
      "toy.txt");
  EXPECT_NE(clock.find(R"(["timestamp", "column_2", "user_id", "item_id"])"), std::string::npos)
      << clock;
}

TEST(FormatGuess, KnowsWhatIsSaidOfItems) {
  const std::string columns = R"(--set 'data.columns=["user_id", "item_id", "column_3"]')";
  refuses("u1 i1 click\nu1 i2 buy\nu2 i1 click\n",
          "lines of 3 cells, one of them 'click' and the like", columns);
  refuses("u1 i1 true\n", "lines of 3 cells, one of them 'true' and the like", columns);
  refuses("u1 i1 37%\nu1 i2 22%\n", "lines of 3 cells, one of them '37%' and the like", columns);
  refuses("u1 i1 gern\nu1 i2 ungern\nu2 i1 gern\n",
          "lines of 3 cells, one of them a few words such as 'gern'", columns);
  EXPECT_EQ(open_log("u1 a b\nu1 b c\nu2 c a\nu2 a b\n", {}, {}, "toy.txt").n_interactions(), 8);
  EXPECT_EQ(open_log("u1 a b\nu2 a b\nu3 a b\nu4 a b\nu5 a b\n", {}, {}, "t").n_interactions(), 10);
}

TEST(FormatGuess, LooksAtTheFirstWordsOfVeryLongLines) {
  // Each column compared with each other would take minutes.
  std::string line = "u1";
  for (int item = 0; item < 160000; ++item) line += " i" + std::to_string(item % 70000);
  EXPECT_EQ(open_log(line + "\n", {}, {}, "toy.txt").n_interactions(), 160000);
}

TEST(FormatGuess, KnowsMarksBesideBlanks) {
  refuses("\"1\" \"10\" \"5\" \"978300760\"\n", "cells in double quotes, parted by blanks",
          kColumns);
  refuses("1 \"The Film, (1999)\" 5\n1 \"Other, (2000)\" 4\n2 \"Film, B\" 3\n",
          "cells in double quotes, parted by blanks",
          R"(--set 'data.columns=["user_id", "item_id", "rating"]' --set 'data.separator=" "')");
  const auto tells = [](const std::string& text, const std::string& sign,
                        const std::string& command) {
    const std::string message = error_of_log<DataError>(text, {}, {}, "toy.txt");
    EXPECT_NE(message.find(" (" + sign + ")"), std::string::npos) << message;
    EXPECT_NE(message.find("`" + command + " | recloom data stats -` reads it"), std::string::npos)
        << message;
  };
  tells("u1 [1, 2, 3]\nu2 [1, 2]\n", "lists in brackets", R"(tr "[](){},;:'\"" " " <FILE)");
  tells("u1 [a, b, c]\nu2 [a, c, d]\n", "lists in brackets", R"(tr "[](){},;:'\"" " " <FILE)");
  tells("1: 2 3 4\n2: 3 4\n", "lines with ':' behind the first word", "tr ':' ' ' <FILE");
  tells("1,2 3 4\n2,3 4\n3,4 1\n", "lines with ',' behind the first word", "tr ',' ' ' <FILE");
  tells("a 1, 2, 3\nb 2, 3\n", "',' beside blanks", "tr ',' ' ' <FILE");
  tells("1 2:5 3:4\n2 3:4 4:1\n", "words of an item, ':' and a number", "sed 's/:[^ ]*//g' FILE");
  tells("u=1 i=2\nu=2 i=3\n", "words of a name, '=' and a value", "sed 's/[^ ]*=//g' FILE");
  tells("'1' '10'\n'2' '10'\n", "words in single quotes", R"(tr -d "'" <FILE)");
  tells("# user items\n1 2 3\n", "line 1 is a comment behind '#'", "grep -v '^#' FILE");
  EXPECT_EQ(open_log("u1 item:1 item:2\nu2 item:2\n", {}, {}, "toy.txt").n_interactions(), 3);
}

TEST(FormatGuess, TakesObjectsForJsonWhateverTheName) {
  for (const char* name : {"toy.csv", "toy.txt", "toy.tsv"})
    EXPECT_EQ(open_log("{\"user_id\":\"a\",\"item_id\":\"b\",\"timestamp\":1}\n"
                       "{\"user_id\":\"a\",\"item_id\":\"c\",\"timestamp\":2}\n",
                       {}, {}, name)
                  .n_interactions(),
              2);
}

// A first row must not be eaten as a header.
TEST(FormatGuess, MissesTheHeaderOfATable) {
  const std::string columns =
      R"(--set 'data.columns=["user_id", "item_id", "rating", "timestamp"]')";
  const std::string rows = "A39H,0205616461,5.0,1369699200\nA39H,0558925278,4.0,1369699300\n";
  const std::string sign = "line 1 has the decimal number '5.0', as the lines after it have";
  refuses(rows, sign, columns + " --set data.separator=,", "toy.csv");
  DataOptions options;
  options.user_column = "A39H";
  options.item_column = "0205616461";
  options.time_column = "1369699200";
  EXPECT_NE(error_of_log<DataError>(rows, options, {}, "toy.csv").find(sign), std::string::npos);
  refuses("u,i,3\nu,j,4\nv,i,5\n", "line 1 has 'u', which other lines have too",
          R"(--set 'data.columns=["user_id", "item_id", "rating"]')", "toy.csv");
  refuses("1;10\n2;11\n3;12\n", "line 1 has numbers, no names",
          R"(--set 'data.columns=["user_id", "item_id"]' --set 'data.separator=;')", "toy.csv");
  refuses(
      "u1\t2009-05-04T23:08:57Z\tf1b1\tDeep "
      "Dish\t\tFuji\nu2\t2009-05-04T13:54:10Z\ta7f7\tU\tt\tB\n",
      "line 1 has the date '2009-05-04T23:08:57Z', as the lines after it have",
      R"(--set 'data.columns=["user_id", "timestamp", "item_id", "column_4")", "toy.tsv");
}

TEST(FormatGuess, KnowsTimesOfDayAndMarksOfSpmf) {
  std::string clocks, marks, days, dotted;
  for (int row = 10; row < 24; ++row) {
    const std::string user = std::to_string(row), item = std::to_string(row * 7 % 50);
    clocks += user + " " + item + " " + user + ":" + user + ":01\n";
    marks += user + " -1 " + item + " -1 -2\n";
    days += user + " " + item + " 201402" + user + "\n";
    dotted += user + " " + item + " " + user + ".01.2014\n";
  }
  for (const std::string& text : {clocks, marks, days, dotted}) {
    EXPECT_NE(error_of_log<DataError>(text, {}, {}, "toy.txt").find("this looks like a table"),
              std::string::npos);
  }
}

TEST(FormatGuess, TakesNamesOfAllKindsForAHeader) {
  DataOptions options;
  options.user_column = "0";
  options.item_column = "1";
  options.time_column = "3";
  const std::string pandas = "0,1,2,3\n196,242,3,881250949\n196,302,3,881250950\n";
  EXPECT_EQ(open_log(pandas, options, {}, "toy.csv").n_interactions(), 2);
  options.user_column = "u";
  options.item_column = "i";
  options.time_column = "t";
  EXPECT_EQ(open_log("u,i,t\nu,i,1\nu,j,2\n", options, {}, "toy.csv").n_interactions(), 2);
  const std::string json = rows([](const Event& e, const std::string& r) {
    return R"({"reviewerID": "A)" + e.user + R"(", "asin": ")" + e.item + R"(", "overall": )" + r +
           "}";
  });
  EXPECT_TRUE(error_of_log<DataError>(json, {}, {}, "toy.txt")
                  .starts_with("toy.txt: none of the first lines has the key 'user_id'"));
}

TEST(FormatGuess, ReadsATableByTheSeparatorThatIsGiven) {
  DataOptions options;
  options.separator = "^";
  options.item_column = "item id";
  const std::string names = "user_id^item id^timestamp\n", text = "u1^m 1^5\nu1^m 2^6\nu1^m 3^7\n";
  EXPECT_EQ(items_of(open_log(names + text, options, {}, "toy.txt"), "u1"), "m 1 m 2 m 3");
  const std::string message = error_of_log<DataError>(text, options, {}, "toy.txt");
  EXPECT_TRUE(message.starts_with("toy.txt:1: this table has no header line (")) << message;
  EXPECT_NE(message.find("--set 'data.separator=^'"), std::string::npos) << message;
  options.item_column = "item_id";
  options.separator = "\t";
  const std::string types = "user_id:token\titem_id:token\ttimestamp:float\nu\tx\t1\nu\ty\t2\n";
  EXPECT_EQ(items_of(open_log(types, options, {}, "toy.txt"), "u"), "x y");
}

TEST(FormatGuess, KnowsAHeaderThoughACellIsCalledLikeAColumn) {
  DataOptions options;
  options.time_column = "none";
  options.user_column = "userId";
  options.item_column = "movieId";
  const auto read = [&](const std::string& text) {
    return items_of(open_log(text, options, {}, "toy.csv"), "u1");
  };
  options.separator = "^";
  EXPECT_EQ(read("userId^movieId^tag\nu1^m1^tag\nu1^m2^tag\n"), "m1 m2");
  // Cells that the separator in use does not part are no names.
  options.separator = ";";
  const std::string rows = "u1;\"userId,movieId\"\nu1;b\n";
  EXPECT_NE(error_of_log<DataError>(rows, options, {}, "toy.csv").find("has no header line ("),
            std::string::npos);
  // Names that other logs have, which an error then tells.
  options.separator.clear();
  options.user_column = "user_id";
  EXPECT_NE(
      error_of_log<DataError>("userId;movieId;tag\n1;10;tag\n1;11;x\n", options, {}, "toy.csv")
          .find("no column 'user_id'"),
      std::string::npos);
}

TEST(FormatGuess, NamesAFormatOnlyOfTimesThatNeedOne) {
  const auto formats = [](const std::string& a, const std::string& b) {
    const std::string message = error_of_log<DataError>(
        "u\tx\t" + a + "\nu\ty\t" + b + "\nv\tx\t" + a + "\n", {}, {}, "toy.tsv");
    const std::size_t at = message.find("data.time_format=");
    return at == std::string::npos ? message.substr(0, 4) : message.substr(at);
  };
  EXPECT_TRUE(formats("01/13/2020", "02/14/2020").starts_with("data.time_format=%m/%d/%Y"));
  EXPECT_TRUE(formats("01/02/2020", "13/02/2020").starts_with("data.time_format=%d/%m/%Y"));
  EXPECT_EQ(formats("2020-01-01 10:00:00 UTC", "2020-01-02 10:00:00 UTC"), "toy.");
  EXPECT_EQ(formats("2020-01-01", "2020/01/02"), "toy.");
}

TEST(FormatGuess, TakesNumbersAmongNamesForNames) {
  const std::string rows = "1,10,2022\n1,11,2023\n";
  const std::string message = error_of_log<DataError>("user,item,2021\n" + rows, {}, {}, "toy.csv");
  EXPECT_TRUE(message.ends_with("--set data.user_column=user takes it")) << message;
  DataOptions options;
  options.user_column = "1";
  options.item_column = "2";
  options.time_column = "3";
  EXPECT_EQ(items_of(open_log("1,2,3\n" + rows, options, {}, "toy.csv"), "1"), "10 11");
  options.user_column = "196";
  options.item_column = "242";
  options.time_column = "none";
  EXPECT_NE(error_of_log<DataError>("196,242,3\n196,302,4\n", options, {}, "toy.csv")
                .find(R"(--set 'data.columns=["user_id", "item_id", )"),
            std::string::npos);
}

TEST(FormatGuess, MissesTheHeaderOfASideTable) {
  const testing::TemporaryFolder folder;
  DataOptions options;
  options.item_file = folder.write("items.csv", "x,10.5,foo\ny,11.5,bar\n");
  const std::string message =
      error_of_log<DataError>("user_id,item_id,timestamp\na,x,1\na,y,2\n", options, {}, "toy.csv");
  EXPECT_TRUE(message.ends_with("a table of users or items needs a header line")) << message;
  EXPECT_EQ(message.find("--set"), std::string::npos) << message;
}

TEST(FormatGuess, TakesSequencesForWhatTheyAre) {
  std::map<std::string, std::string> line_of;
  for (const Event& event : events()) line_of[event.user] += " " + event.item;
  std::string text, pairs;
  for (const auto& [user, items] : line_of) text += user + items + "\n";
  for (const Event& event : events()) pairs += event.user + " " + event.item + "\n";
  ASSERT_GT(line_of.size(), 3U);
  for (const std::string& log : {text, pairs}) {
    const Dataset dataset = open_log(log, {}, {}, "toy.txt");
    EXPECT_EQ(dataset.n_interactions(), static_cast<std::int64_t>(events().size()));
    for (const auto& [user, items] : line_of) EXPECT_EQ(" " + items_of(dataset, user), items);
  }
  // The same number of items in every line.
  std::string tabs = pairs;
  for (char& c : tabs) c = c == ' ' ? '\t' : c;
  EXPECT_EQ(open_log(tabs, {}, {}, "toy.txt").catalogue().n_users,
            static_cast<int>(line_of.size()) + 1);
  EXPECT_EQ(
      items_of(open_log("ann tea mug pot\nbo mug tea ink\ncy ink mug tea\n", {}, {}, "t"), "bo"),
      "mug tea ink");
}

// Logs of random users and items, of many kinds of names: none may be refused.
TEST(FormatGuess, TakesRandomSequences) {
  std::mt19937_64 random(7);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  for (int trial = 0; trial < 500; ++trial) {
    const auto kind = below(5);
    const std::uint64_t n_items = 30 + below(100000);
    const auto token = [&](std::uint64_t at) {
      switch (kind) {
        case 0:
          return std::to_string(at);
        case 1:
          return "B00" + std::to_string(100000 + at);
        case 2:
          return std::to_string(214536502 + 7 * at);
        case 3:
          return std::to_string(1000000000 + 7919 * at);
        default:
          return std::to_string(at) + "-" + std::to_string(at % 7);
      }
    };
    const std::uint64_t n_users = 2 + below(40), longest = 1 + below(12);
    const bool same = below(3) == 0;
    std::string text;
    std::int64_t n_events = 0;
    for (std::uint64_t user = 0; user < n_users; ++user) {
      text += (kind == 1 ? "u" : "") + std::to_string(user + 1);
      const std::uint64_t length = same ? longest + 1 : 2 + below(longest);
      for (std::uint64_t at = 0; at < length; ++at, ++n_events) text += " " + token(below(n_items));
      text += "\n";
    }
    EXPECT_EQ(open_log(text, {}, {}, "toy.txt").n_interactions(), n_events) << text;
  }
}

TEST(FormatGuess, DoesWhatTheOptionsSay) {
  const auto write = [](const Event& e, const std::string& r) { return joined(e, r, " "); };
  DataOptions options;
  options.format = FileFormat::sequences;
  const Dataset sequences = open_log(rows(write), options, {}, "toy.txt");
  EXPECT_EQ(sequences.n_interactions(), static_cast<std::int64_t>(3 * events().size()));
  // Names of columns that the header has make it a table, whatever parts its cells.
  options = {};
  options.user_column = "wer";
  options.item_column = "was";
  options.time_column = "wann";
  const Dataset table = open_log(rows(write, "wer was wie wann\n"), options, {}, "toy.txt");
  EXPECT_EQ(table.n_interactions(), static_cast<std::int64_t>(events().size()));
  EXPECT_TRUE(table.times().known);
}

TEST(FormatGuess, RefusesOtherLineEnds) {
  std::string text(testing::kHeader);
  text += "a\tx\t1\na\ty\t2\n";
  for (char& c : text) c = c == '\n' ? '\r' : c;
  for (const char* name : {"toy.inter", "toy.txt"})
    EXPECT_TRUE(error_of_log<DataError>(text, {}, {}, name)
                    .ends_with(":1: a carriage return within the line; lines must end with a line "
                               "feed (\\n or \\r\\n)"));
}

}  // namespace
}  // namespace recloom
