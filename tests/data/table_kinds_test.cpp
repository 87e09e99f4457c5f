// Tables and other text that people have, which must never be taken for lines of "user item item".
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "data/log_text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

using testing::error_of_log;
using testing::items_of;
using testing::open_log;

std::string rows(int count, const std::function<std::string(int)>& row) {
  std::string text;
  for (int at = 0; at < count; ++at) text += row(at) + "\n";
  return text;
}
/// A number that looks drawn at random, below `end`.
std::string some(int at, int end) { return std::to_string((at * 7919 + 104729) % 9973 % end); }

void refuses(const std::string& text, const std::string& sign) {
  const std::string message = error_of_log<DataError>(text, {}, {}, "toy.txt");
  EXPECT_NE(message.find(sign), std::string::npos) << message << "\n" << text;
  EXPECT_NE(message.find("--set data.format=sequences takes each line"), std::string::npos)
      << message;
}

TEST(TableKinds, EveryUserDiffers) {
  const std::string unlike = "in columns that are not alike";
  refuses(rows(12,
               [](int n) {
                 return "u" + some(n, 900) + std::to_string(n) + " i" + some(n, 50) + " " +
                        std::to_string(18 + n * 5 % 60);
               }),
          unlike);
  refuses(rows(12,
               [](int n) {
                 return std::to_string(n) + " " + std::to_string(1000 + n * 331) + " " +
                        some(n, 400);
               }),
          unlike);
  refuses(rows(12,
               [](int n) {
                 return "u" + std::to_string(n) + " i" + some(n, 900) + " c" + some(n + 5, 900);
               }),
          unlike);
  refuses(rows(12,
               [](int n) {
                 return "u" + std::to_string(n) + " i" + some(n, 900) + " $" + some(n, 60);
               }),
          unlike);
  refuses(rows(12,
               [](int n) {
                 return "u" + std::to_string(n) + " i" + some(n, 900) + " " +
                        (n % 3 == 0 ? "-1" : "1");
               }),
          unlike);
  refuses(rows(12,
               [](int n) {
                 return std::to_string(n) + " " + some(n, 90) + " " + std::to_string(17 * n + 5);
               }),
          unlike);
  refuses("1 1043 37\n2 881 25\n", unlike);
  refuses(rows(20,
               [](int n) {
                 return "u" + std::to_string(n) + " " +
                        std::vector<std::string>{"book", "film", "song"}[n % 3] + " x" +
                        std::to_string(n * n);
               }),
          "a few words such as 'book'");
}

TEST(TableKinds, OneRowInFourIsShort) {
  for (const std::string mark : {" ", "\t"}) {
    const std::string text = rows(24, [&](int n) {
      const std::string row = some(n, 9) + mark + std::to_string(10 + n * 13 % 60);
      return n % 4 == 3 ? row : row + mark + std::to_string(n % 5 + 1);
    });
    refuses(text, "in columns that are not alike");
    refuses(text, "'NF == 3' FILE | recloom data stats - --set data.format=csv");
  }
}

TEST(TableKinds, SeveralWordsForEachEvent) {
  const auto line = [](int n, const std::string& between, const std::string& after) {
    std::string text = std::to_string(n + 1);
    for (int at = 0; at < 2 + n % 4; ++at)
      text +=
          " " + some(9 * n + at, 40) + between + std::to_string(1300000000 + 100 * n + at) + after;
    return text;
  };
  refuses(rows(9, [&](int n) { return line(n, " ", ""); }), "2 words for each event");
  refuses(rows(9, [&](int n) { return line(n, " ", " 5"); }), "3 words for each event");
  refuses(rows(9, [&](int n) { return line(n, "@", ""); }), "words of an item, '@' and a time");
  refuses("1 2 a b\n2 3 a b c\n3 1 a\n", "the number of their items behind the user");
  refuses("s1 1300000000 a b\ns2 1300000009 a\ns3 1300000010 b c d\n",
          "lines of a user, a time and items");
  refuses("user=1 item=7 level=info\nuser=2 item=9 level=info\n", "a name, '=' and a value");
}

TEST(TableKinds, LogsOfPrograms) {
  refuses(rows(6,
               [](int n) {
                 return "10.0.0." + some(n, 9) + " - - [10/Oct/2000:13:5" + std::to_string(n) +
                        ":36 -0700] \"GET /a" + some(n, 4) + " HTTP/1.0\" 200 " + some(n, 9000);
               }),
          "this looks like a web server's log");
  refuses(
      "Feb  3 10:00:01 host sshd[17]: Accepted publickey for ann\nFeb  3 10:00:09 host cron: job\n",
      "this looks like messages of a system log");
  refuses(
      "2014-02-03 10:00:01,123 INFO user 7 bought tea\n2014-02-03 10:00:02,500 WARN none left\n",
      "this looks like messages behind a time");
  refuses("The cat sat on a mat.\nIt was a very fine one.\nNobody saw the other cat.\n",
          "this looks like sentences");
}

TEST(TableKinds, DumpsOfDatabases) {
  refuses("INSERT INTO `r` VALUES (1, 10, '2014-02-03 10:00:00'),(1, 11, '2014-02-04 10:00:00');\n",
          "this looks like SQL statements");
  refuses("COPY public.r (user_id, item_id) FROM stdin;\n1\t10\n1\t11\n\\.\n",
          "this looks like a dump of PostgreSQL");
  refuses(" user_id | item_id\n---------+---------\n       1 |      10\n       1 |      11\n",
          "this looks like a table drawn with lines");
  refuses("1:\n1488844,3,2005-09-06\n822109,5,2005-05-13\n2:\n822109,4,2005-10-19\n",
          "lines below '1:' and the like");
  refuses(rows(9, [](int n) { return "0 1 0 " + some(n, 2) + " 1 " + some(n + 3, 2) + " 0 1 1"; }),
          "this looks like a matrix of 9 columns");
}

TEST(TableKinds, EvenLinesOfNumbersAreToldOf) {
  const auto said = [](const std::string& text) {
    ::testing::internal::CaptureStderr();
    open_log(text, {}, {}, "toy.txt");
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_NE(
      said("1 45 37\n2 12 80\n3 37 12\n").find("every line has 3 words, read as a user and 2"),
      std::string::npos);
  EXPECT_EQ(said("1 45 37\n2 12 80 4\n3 37 12\n"), "");
}

TEST(TableKinds, CommentsMayBeginWithBlanks) {
  refuses(" %%\n1 2\n", "line 1 is a comment behind '%%'");
  refuses(" # a\n # b\n", "`grep -v '^[[:blank:]]*#' FILE | recloom data stats -`");
  refuses("# a\n1 10 5 1300000000\n1 11 4 1300000001\n",
          "`grep -v '^#' FILE | recloom data stats - --set data.format=csv");
}

TEST(TableKinds, LinesOfWordsStayLinesOfWords) {
  // As items are numbered when they appear, and as windows of one length are written.
  EXPECT_EQ(open_log("1 1 2 3\n2 4 1 5\n3 6 7 2\n4 8 1 9\n", {}, {}, "t.txt").n_interactions(), 12);
  EXPECT_EQ(open_log("1 1 2\n2 3 4 5\n3 1 6\n4 7 8 9 2\n", {}, {}, "t.txt").n_interactions(), 11);
  EXPECT_EQ(open_log("u1 85123A 22423\nu2 22423 71053 84406B\nu3 71053 22752\n", {}, {}, "t.txt")
                .n_interactions(),
            7);
  EXPECT_EQ(open_log("1\t10 11 12\n2\t10 13\n1\t12 14\n", {}, {}, "t.txt").n_interactions(), 7);
}

TEST(BlankRuns, PartColumnsThatAreLinedUp) {
  const std::string body =
      "u1       tea     1300000000\n"
      "u1\t mug     1300000002  \n"
      "  u2      \"a pot\"    1300000001\n";
  DataOptions options;
  options.separator = "blanks";
  for (const auto rules : {false, true}) {
    options.raw_cells = rules;
    const std::string text = rules ? body.substr(0, body.find("  u2")) : body;
    const Dataset dataset =
        open_log("user_id  item_id   timestamp\n" + text, options, {}, "toy.txt");
    EXPECT_EQ(items_of(dataset, "u1"), "tea mug");
    if (!rules) {
      EXPECT_EQ(items_of(dataset, "u2"), "a pot");
    }
  }
  options.raw_cells = false;
  options.columns = {"user_id", "item_id", "timestamp"};
  EXPECT_EQ(items_of(open_log(body, options, {}, "toy.txt"), "u1"), "tea mug");
  options.separator = "\\s+";  // As pandas has it.
  EXPECT_EQ(items_of(open_log(body, options, {}, "toy.txt"), "u2"), "a pot");
  // Found by the number of columns.
  options.separator.clear();
  EXPECT_EQ(items_of(open_log(body, options, {}, "toy.txt"), "u1"), "tea mug");
  EXPECT_EQ(error_of_log<DataError>(
                body + "u3 x\n",
                [&] {
                  DataOptions blanks = options;
                  blanks.separator = "blanks";
                  return blanks;
                }(),
                {}, "toy.txt"),
            "toy.txt:4: too few cells: 2; data.columns names 3");
}

TEST(BlankRuns, AreWhatAnErrorNames) {
  const std::string message = error_of_log<DataError>(
      rows(9,
           [](int n) {
             return "u" + some(n, 3) + "     i" + some(n, 9) + "   130000000" + some(n, 9);
           }),
      {}, {}, "toy.txt");
  EXPECT_NE(message.find(R"(["user_id", "item_id", "timestamp"]' --set data.separator=blanks)"),
            std::string::npos)
      << message;
}

TEST(RowNames, NeedNoNameInTheHeader) {
  DataOptions options;
  options.time_column = "none";
  const std::string python = "   user_id item_id\n0       u1     tea\n1       u1     mug\n";
  options.separator = "blanks";
  EXPECT_EQ(items_of(open_log(python, options, {}, "toy.txt"), "u1"), "tea mug");
  options.separator = " ";
  const std::string r = "\"user_id\" \"item_id\"\n\"1\" \"u1\" \"tea\"\n\"2\" \"u1\" \"mug\"\n";
  EXPECT_EQ(items_of(open_log(r, options, {}, "toy.txt"), "u1"), "tea mug");
  options.separator.clear();
  EXPECT_EQ(items_of(open_log("user_id,item_id\nu1,tea,\nu1,mug,\n", options, {}, "t.csv"), "u1"),
            "tea mug");
  // Other cells are too many.
  EXPECT_NE(error_of_log<DataError>("user_id,item_id\nu1,tea,5\nu1,mug,5\n", options, {}, "t.csv")
                .find("t.csv:2: too many cells"),
            std::string::npos);
}

TEST(TimesInTwoColumns, AreOneTime) {
  DataOptions options;
  options.time_column = "day+hour";
  const std::string text =
      "hour,user_id,day,item_id\n09:30,u,2014-02-04,b\n18:00:00.5,u,2014-02-03,a\n"
      "\"10:00\",u,2014-02-04,c\n";
  const Dataset dataset = open_log(text, options, {}, "toy.csv");
  EXPECT_EQ(items_of(dataset, "u"), "a b c");
  EXPECT_EQ(dataset.read_summary().first, "user 'u', item 'b', time 2014-02-04T09:30:00Z");
  EXPECT_EQ(dataset.read_summary().columns, "user_id (2), item_id (4), day (3), hour (1)");
  EXPECT_EQ(
      error_of_log<DataError>(text + ",u,2014-02-05,d\n", options, {}, "toy.csv").substr(0, 37),
      "toy.csv:5: 'day+hour' is missing; --s");
  options.time_format = "%d.%m.%Y %H:%M";
  EXPECT_EQ(
      items_of(open_log("day,hour,user_id,item_id\n04.02.2014,9:30,u,b\n03.02.2014,18:00,u,a\n",
                        options, {}, "toy.csv"),
               "u"),
      "a b");
  // A column of that very name is one.
  options = {};
  options.time_column = "a+b";
  EXPECT_EQ(
      items_of(open_log("user_id,item_id,a+b,a,b\nu,y,2,1,1\nu,x,1,2,2\n", options, {}, "t.csv"),
               "u"),
      "x y");
  EXPECT_NE(error_of_log<DataError>("user_id,item_id,a\nu,y,2\n", options, {}, "t.csv")
                .find("no column 'a+b'"),
            std::string::npos);
}

}  // namespace
}  // namespace recloom
