// What the reader makes of text, seen through Dataset::open.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "data/archives.hpp"
#include "data/log_text.hpp"
#include "recloom/core/error.hpp"
#include "recloom/data/dataset.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using testing::error_of_log;
using testing::items_of;
using testing::kHeader;
using testing::open_log;

std::string log(std::string_view rows) { return std::string(kHeader).append(rows); }

TEST(Reader, ReadsPackedLogs) {
  for (const std::string_view digits : {testing::kGzipDigits, testing::kZstdDigits}) {
    const Dataset dataset = open_log(testing::bytes_of_digits(digits));
    EXPECT_EQ(items_of(dataset, "a"), "x y");
    EXPECT_EQ(items_of(dataset, "b"), "x z");
  }
}

TEST(Reader, NamesTheTruncatedArchive) {
  const std::string gzip = testing::bytes_of_digits(testing::kGzipDigits);
  EXPECT_EQ(error_of_log<DataError>(gzip.substr(0, 60), {}, {}, "toy.inter.gz"),
            "toy.inter.gz: gzip archive is truncated");
}

TEST(Reader, RefusesAnEmptyFile) {
  EXPECT_EQ(error_of_log<DataError>(""), "toy.inter: the file is empty");
  EXPECT_EQ(error_of_log<DataError>("\n\r\n  \n"), "toy.inter: the file is empty");
}

TEST(Reader, RefusesAHeaderWithoutRows) {
  EXPECT_EQ(error_of_log<DataError>(kHeader), "toy.inter: the file has no interactions");
  // The same without a line end.
  EXPECT_EQ(error_of_log<DataError>(kHeader.substr(0, kHeader.size() - 1)),
            "toy.inter: the file has no interactions");
}

TEST(Reader, NamesTheMissingColumnAndTheNearest) {
  EXPECT_EQ(
      error_of_log<DataError>("user_id:token\titem_id:token\ttimestmp:float\na\tx\t1\n"),
      "toy.inter:1: no column 'timestamp'; the header has user_id, item_id, timestmp, did you "
      "mean 'timestmp'? --set data.time_column=timestmp takes it; --set data.time_column=none "
      "takes "
      "events in file order");
}

TEST(Reader, WritesNamesSoThatAShellTakesThem) {
  const std::string header = "User's ID:token\titem_id:token\ttimestamp:float\n";
  DataOptions options;
  options.user_column = "users_id";
  const std::string message = error_of_log<DataError>(header + "a\tx\t1\n", options);
  EXPECT_NE(message.find(R"(--set 'data.user_column=User'\''s ID' takes it)"), std::string::npos)
      << message;
}

TEST(Reader, NamesTheLineOfAMissingCell) {
  EXPECT_EQ(
      error_of_log<DataError>(log("a\tx\t1\na\ty\t\n")),
      "toy.inter:3: 'timestamp' is missing; --set data.missing_time=drop leaves such rows out, "
      "--set data.missing_time=mean gives them the mean time");
  // A short line, behind a blank one that counts as a line.
  EXPECT_TRUE(
      error_of_log<DataError>(log("a\tx\t1\n\na\ty\n")).starts_with("toy.inter:4: 'timestamp'"));
  DataOptions raw;
  raw.raw_cells = true;
  EXPECT_EQ(error_of_log<DataError>(log("a\tx\t1\na\ty\n"), raw),
            "toy.inter:3: too few cells: 2; the header has 3");
}

TEST(Reader, NamesTheLineOfATimeThatIsNoNumber) {
  for (const std::string time : {"2x", "inf", "soon", "0x10", "1 2", "--1", "+-1"}) {
    EXPECT_EQ(error_of_log<DataError>(log("a\tx\t1\na\ty\t" + time + "\n")),
              "toy.inter:3: 'timestamp' is neither a number nor an ISO 8601 time: '" + time +
                  "'; --set 'data.time_format=%d.%m.%Y %H:%M' reads times written so, --set "
                  "data.time_column=NAME takes another column");
  }
}

TEST(Reader, NamesTheLineOfALongLine) {
  EXPECT_EQ(error_of_log<DataError>(log("a\tx\t1\na\ty\t2\tz\n")),
            "toy.inter:3: too many cells; the header has 3");
}

TEST(Reader, CountsLinesAcrossBlocks) {
  // About 3 MB: several blocks, read at the same time.
  std::string text(kHeader);
  for (int row = 0; row < 300000; ++row) text += "a\tx\t100\n";
  const std::string faulty = text + "a\tx\tnoon\n" + text.substr(kHeader.size()) + "a\tx\tnever\n";
  EXPECT_TRUE(error_of_log<DataError>(faulty).starts_with(
      "toy.inter:300002: 'timestamp' is neither a number nor an ISO 8601 time: 'noon'"));
}

TEST(Reader, RefusesBinaryNoise) {
  std::mt19937 noise(5);
  std::string bytes(5000, ' ');
  for (char& byte : bytes) byte = static_cast<char>(noise());
  for (const char* name : {"toy.inter", "toy.csv", "toy.bin"}) {
    const std::string message = error_of_log<DataError>(bytes, {}, {}, name);
    EXPECT_NE(message.find("binary data"), std::string::npos) << message;
  }
  EXPECT_EQ(error_of_log<DataError>(log(std::string("a\tx\t1\nb\0\tx\t2\n", 13))),
            "toy.inter:3: binary data (a zero byte); expected UTF-8 text");
  EXPECT_EQ(error_of_log<DataError>(log("a\tx\t1\nb\xff\tx\t2\n")),
            "toy.inter:3: token 'b\\xff' is not valid UTF-8 (--set data.encoding=latin-1, or "
            "another, reads it)");
}

TEST(Reader, RefusesBadHeaders) {
  EXPECT_EQ(
      error_of_log<DataError>("user_id:token\titem_id:token\ttimestamp:float\tuser_id:token\n"),
      "toy.inter:1: two columns have the name 'user_id'; rename one of them, or leave the line out "
      "and give all names with data.columns");
  EXPECT_EQ(error_of_log<DataError>("user_id:tokn\titem_id:token\ttimestamp:float\n"),
            "toy.inter:1: column 'user_id' has unknown type 'tokn'; legal are token, token_seq, "
            "float, float_seq, did you mean 'token'?");
  EXPECT_EQ(error_of_log<DataError>("user_id:float\titem_id:token\ttimestamp:float\n1\tx\t1\n"),
            "toy.inter:1: column 'user_id' must have type token");
}

TEST(Reader, KeepsTimesThatNoDoubleCanHold) {
  // The doubles nearest to these nanoseconds are equal.
  const std::string text =
      log("a\tz\t1700000000000000003\na\ty\t1700000000000000002\na\tx\t1700000000000000001\n");
  EXPECT_EQ(items_of(open_log(text), "a"), "x y z");
  DataOptions rounded;
  rounded.time_precision = TimePrecision::float32;
  EXPECT_EQ(items_of(open_log(text, rounded), "a"), "z y x");
}

TEST(Reader, OrdersRealAndIntegerTimesTogether) {
  // The first real time comes in a later block than the first integers.
  std::string text = log("a\tthird\t7\na\tfirst\t-3\n");
  for (int row = 0; row < 200000; ++row) text += "b\tx\t100\n";
  text += "a\tfourth\t7.5\na\tsecond\t-2.5e0\na\tlast\t+8\n";
  EXPECT_EQ(items_of(open_log(text), "a"), "first second third fourth last");
}

TEST(Reader, DropsOrFillsMissingTimes) {
  const std::string text = log("a\tx\t1\na\ty\tNA\na\tz\t4\na\tw\t2\n");
  DataOptions options;
  options.missing_time = MissingTime::drop;
  EXPECT_EQ(items_of(open_log(text, options), "a"), "x w z");
  options.missing_time = MissingTime::mean;  // 7/3
  EXPECT_EQ(items_of(open_log(text, options), "a"), "x w y z");
}

TEST(Reader, SkipsByteOrderMarkAndBlankLinesAndTakesCrLf) {
  const std::string text =
      "\xEF\xBB\xBF\r\nuser_id:token\titem_id:token\ttimestamp:float\r\n\r\na\tx\t1\r\n   "
      "\r\na\ty\t2";
  EXPECT_EQ(items_of(open_log(text), "a"), "x y");
}

TEST(Reader, MapsColumnsOfCsv) {
  const std::string text =
      "when,what,\"who\"\n2,\"tea, green\",ann\n1,mug,ann\n3,\"say \"\"hi\"\"\",bo\n4,mug,bo\n";
  DataOptions options;
  options.user_column = "who";
  options.item_column = "what";
  options.time_column = "when";
  for (const char* name : {"toy.csv", "toy.dat"}) {
    const Dataset dataset = open_log(text, options, {}, name);
    EXPECT_EQ(items_of(dataset, "ann"), "mug tea, green");
    EXPECT_EQ(items_of(dataset, "bo"), "say \"hi\" mug");
  }
}

TEST(Reader, TakesTheSeparatorFromTheHeaderOrTheOption) {
  for (const std::string mark : {"\t", ",", ";", "|"}) {
    const std::string text = "user_id" + mark + "item_id" + mark + "timestamp\na" + mark + "x" +
                             mark + "1\na" + mark + "y" + mark + "2\n";
    EXPECT_EQ(items_of(open_log(text, {}, {}, "toy.csv"), "a"), "x y");
  }
  DataOptions options;
  options.separator = ",";
  EXPECT_EQ(
      items_of(open_log("user_id:token,item_id:token,timestamp:float\na,x,1\na,y,2\n", options),
               "a"),
      "x y");
  options.separator = "a\n";
  EXPECT_EQ(error_of_log<ConfigError>(kHeader, options),
            "data.separator = 'a\\n': must be a text without quote or line end; empty = automatic");
}

TEST(Reader, ReadsLinesOfSequences) {
  const Dataset dataset =
      open_log("ann tea mug  tea\nbo\tmug\n\nann pot\nbo tea\n", {}, {}, "toy.txt");
  EXPECT_EQ(items_of(dataset, "ann"), "tea mug tea pot");
  EXPECT_EQ(items_of(dataset, "bo"), "mug tea");
  EXPECT_FALSE(dataset.times().known);
  EXPECT_EQ(error_of_log<DataError>("ann tea mug\nbo\n", {}, {}, "toy.txt"),
            "toy.txt:2: user 'bo' has no items; a line is \"user item item ...\"");
}

TEST(Reader, GivesTheSameForAnyNumberOfThreads) {
  const testing::TemporaryFolder folder;
  std::mt19937 random(3);
  std::string text(kHeader);
  for (int row = 0; row < 200000; ++row) {
    text += 'u';
    text += std::to_string(random() % 5000);
    text += "\ti";
    text += std::to_string(random() % 3000);
    text += '\t' + std::to_string(random() % 100000) + '\n';
  }
  const std::string file = folder.write("toy.inter", text);
  std::string hash;
  for (const int threads : {1, 2, 4}) {
    RunContext run(1, threads);
    DataOptions options;
    options.user_interval = options.item_interval = "[5,inf)";
    const Dataset dataset = Dataset::open(file, options, {}, run);
    if (hash.empty()) hash = dataset.hash();
    EXPECT_EQ(dataset.hash(), hash) << threads << " threads";
  }
}

TEST(Reader, ReadsNamesFromTheItemFile) {
  const testing::TemporaryFolder folder;
  const std::string file = folder.write("toy.inter", log("a\tx\t1\na\ty\t2\n"));
  folder.write("toy.item",
               "item_id:token\tprice:float\ttitle:token_seq\ny\t1\tA yo-yo\nz\t2\tZebra\nx\t3\t\n");
  RunContext run;
  const Dataset dataset = Dataset::open(file, {}, {}, run);
  const Vocabulary& words = dataset.vocabulary();
  EXPECT_EQ(words.items(), (std::vector<std::string>{"[PAD]", "x", "y", "z"}));
  EXPECT_EQ(words.item_name(words.item("x")), "");
  EXPECT_EQ(words.item_name(words.item("y")), "A yo-yo");
  EXPECT_EQ(words.item_name(words.item("z")), "Zebra");
  DataOptions options;
  options.item_file = "none";
  EXPECT_EQ(Dataset::open(file, options, {}, run).vocabulary().items().size(), 3u);
  options.item_file = "other.item";
  EXPECT_THROW(Dataset::open(file, options, {}, run), IoError);
}

}  // namespace
}  // namespace recloom
