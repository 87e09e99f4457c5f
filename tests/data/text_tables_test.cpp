// Tables as people have them: without header, with long separators, quoted over several lines, in
// other encodings, without times, in several files.
#include <gtest/gtest.h>
#include <iconv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "data/line_blocks.hpp"
#include "data/log_text.hpp"
#include "recloom/core/error.hpp"
#include "recloom/data/dataset.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using testing::error_of_log;
using testing::items_of;
using testing::open_log;

constexpr const char* kRatings =
    "1::11::5::978300001\n1::12::3::978300003\n1::13::4::978300002\n1::14::4::978300004\n"
    "2::11::4::978300010\n2::13::5::978300011\n";

DataOptions with_columns(std::vector<std::string> columns) {
  DataOptions options;
  options.columns = std::move(columns);
  return options;
}

std::string with_separator(std::string text, const std::string& separator) {
  for (std::size_t at = 0; (at = text.find("::", at)) != std::string::npos; at += separator.size())
    text.replace(at, 2, separator);
  return text;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(TextTables, ReadFilesWithoutHeader) {
  const DataOptions options = with_columns({"user_id", "item_id", "_", "timestamp"});
  for (const std::string separator : {"::", "\t", ",", ";", "|", " "}) {
    const Dataset dataset =
        open_log(with_separator(kRatings, separator), options, {}, "ratings.dat");
    EXPECT_EQ(items_of(dataset, "1"), "11 13 12 14") << separator;
    EXPECT_EQ(items_of(dataset, "2"), "11 13");
    EXPECT_EQ(dataset.read_summary().columns, "user_id (1), item_id (2), timestamp (4)");
    EXPECT_TRUE(dataset.read_summary().format.starts_with("csv without header, cells parted by "));
    EXPECT_EQ(dataset.read_summary().first,
              "user '1', item '11', time 978300001 (2000-12-31T22:00:01Z)");
  }
  for (const std::string separator : {"||", "<=>", "::", ":-:-:"}) {
    DataOptions given = options;
    given.separator = separator;
    const Dataset dataset = open_log(with_separator(kRatings, separator), given, {}, "ratings.csv");
    EXPECT_EQ(items_of(dataset, "1"), "11 13 12 14") << separator;
  }
  DataOptions tab = options;
  tab.separator = "\\t";
  EXPECT_EQ(items_of(open_log(with_separator(kRatings, "\t"), tab), "2"), "11 13");
  // Leading zeros are part of a name; a mark in front is none.
  EXPECT_EQ(items_of(open_log("\xEF\xBB\xBF"
                              "A3,0205,5.0,1\r\nA3,B1,4.0,2\r\n",
                              options),
                     "A3"),
            "0205 B1");
}

TEST(TextTables, NameTheLineOfAnotherNumberOfCells) {
  const DataOptions options = with_columns({"user_id", "item_id", "_", "timestamp"});
  EXPECT_EQ(error_of_log<DataError>("a,x,1,1\na,y,1\n",
                                    [&] {
                                      DataOptions comma = options;
                                      comma.separator = ",";
                                      return comma;
                                    }()),
            "toy.inter:2: too few cells: 3; data.columns names 4");
  std::string long_log;
  for (int row = 0; row < 200; ++row) long_log += "a,x,1,1\n";
  EXPECT_EQ(error_of_log<DataError>(long_log + "a,x,1,1,1\n", options),
            "toy.inter:201: too many cells; data.columns names 4");
  const std::string message = error_of_log<DataError>("a,x,1\nb,y,2\n", options);
  EXPECT_TRUE(
      message.starts_with("toy.inter:1: data.columns names 4 columns, and no separator of "
                          "'::', tab, ',', ';', '|', ' ' gives the first lines as many"))
      << message;
  EXPECT_TRUE(contains(message, "',' gives 3")) << message;
}

TEST(TextTables, RefuseAHeaderWhereNoneShouldBe) {
  const DataOptions options = with_columns({"user_id", "item_id", "rating", "timestamp"});
  for (const std::string header :
       {"USER_ID,Item_Id,rating,timestamp", "userId,movieId,rating,when", "u,i,r,unixtime"}) {
    const std::string message = error_of_log<DataError>(header + "\na,x,1,1\na,y,2,2\n", options);
    EXPECT_TRUE(message.starts_with("toy.inter:1: this line is a header (")) << message;
    EXPECT_TRUE(contains(message, "--set data.user_column=")) << message;
  }
  DataOptions no_times = with_columns({"user_id", "item_id"});
  no_times.time_column = "none";
  EXPECT_TRUE(error_of_log<DataError>("userId,movieId\na,x\na,y\n", no_times)
                  .starts_with("toy.inter:1: this line is a header ("));
  EXPECT_EQ(items_of(open_log("ann,tea\nann,mug\n", no_times), "ann"), "tea mug");
}

TEST(TextTables, NameOnlyTheColumnsThatAHeaderHas) {
  const std::string message = error_of_log<DataError>("uid,x,when\nu,a,1\nu,b,2\n",
                                                      with_columns({"user_id", "_", "timestamp"}));
  EXPECT_TRUE(contains(message, "is a header (uid, x, when)")) << message;
  EXPECT_TRUE(contains(message, " --set data.user_column=uid --set data.time_column=when reads"))
      << message;
}

TEST(TextTables, TakeAnyRowAboveAColumnWithoutAName) {
  DataOptions options = with_columns({"user_id", "item_id", ""});
  for (const std::string none : {"", "none"}) {
    options.time_column = none;
    EXPECT_EQ(items_of(open_log("u1,i1,abc\nu1,i2,5\n", options), "u1"), "i1 i2");
  }
}

TEST(TextTables, LeaveOutTheRowThatTheFirstBlockCuts) {
  const std::string text = "\"line one\nline two\"," + std::string(3000, 'y') + ",";
  std::string rows, items;
  for (int row = 0; row < 200; ++row) {
    rows += "u,i" + std::to_string(row) + "," + text + std::to_string(row) + "\n";
    items += (row == 0 ? "i" : " i") + std::to_string(row);
  }
  ASSERT_GT(rows.size(), 2 * LineBlocks::kBlockBytes);
  const DataOptions options = with_columns({"user_id", "item_id", "text", "more", "timestamp"});
  EXPECT_EQ(items_of(open_log(rows, options), "u"), items);
}

TEST(TextTables, RefuseColumnsOfOtherFormats) {
  for (const FileFormat format : {FileFormat::atomic, FileFormat::sequences}) {
    DataOptions options = with_columns({"user_id", "item_id", "timestamp"});
    options.format = format;
    EXPECT_TRUE(error_of_log<ConfigError>("a,x,1\n", options).starts_with("data.columns names"));
  }
  EXPECT_TRUE(error_of_log<ConfigError>("a,x,1\n", with_columns({"user_id", "user_id"}))
                  .starts_with("data.columns names 'user_id' twice"));
  const std::string message =
      error_of_log<DataError>("a,x,1\n", with_columns({"user_id", "item_id", "when"}));
  EXPECT_TRUE(
      message.starts_with("toy.inter:1: no column 'timestamp'; data.columns has user_id, "
                          "item_id, when"))
      << message;
}

TEST(TextTables, PointToRowsThatStandForAHeader) {
  const std::string rows =
      "A39HTATAQ9V7YF,0205616461,5.0,1369699200\n"
      "A39HTATAQ9V7YF,0558925278,4.0,1369699300\n";
  const std::string remedy =
      R"(--set 'data.columns=["user_id", "item_id", "rating", "timestamp"]' --set data.separator=,)";
  const std::string message = error_of_log<DataError>(rows, {}, {}, "ratings_Beauty.csv");
  EXPECT_TRUE(contains(message, remedy)) << message;
  DataOptions named;
  named.user_column = "A39HTATAQ9V7YF";
  named.item_column = "0205616461";
  named.time_column = "1369699200";
  EXPECT_TRUE(contains(error_of_log<DataError>(rows, named, {}, "ratings_Beauty.csv"), remedy));
  const DataOptions mended = with_columns({"user_id", "item_id", "rating", "timestamp"});
  EXPECT_EQ(items_of(open_log(rows, mended, {}, "ratings_Beauty.csv"), "A39HTATAQ9V7YF"),
            "0205616461 0558925278");
  // Names that pandas gives to columns without any are positions.
  DataOptions numbered;
  numbered.user_column = "0";
  numbered.item_column = "1";
  numbered.time_column = "3";
  EXPECT_EQ(items_of(open_log("0,1,2,3\n196,242,3,881250949\n196,302,3,881250950\n", numbered, {},
                              "pandas.csv"),
                     "196"),
            "242 302");
}

TEST(TextTables, ReadQuotedCellsOverSeveralLines) {
  const std::string text =
      "user_id,review,item_id,timestamp\n"
      "a,\"good, \n\nreally \"\"good\"\"\",x,1\n"
      "a,\"1, 2, 3\r\n4, 5, 6\",y,2\r\n"
      "a,\"\n\",\"z \n 1\",3\n"
      "a,fine,last,4";
  const Dataset dataset = open_log(text, {}, {}, "log.csv");
  EXPECT_EQ(items_of(dataset, "a"), "x y z \n 1 last");
  EXPECT_TRUE(error_of_log<DataError>(text + "x\n", {}, {}, "log.csv")
                  .starts_with("log.csv:10: 'timestamp' is neither a number nor an ISO 8601 time: "
                               "'4x'"));
  EXPECT_TRUE(error_of_log<DataError>(text + "\nb,\"u\nv\",x,noon\n", {}, {}, "log.csv")
                  .starts_with("log.csv:11: 'timestamp' is neither a number nor an ISO 8601 time: "
                               "'noon'"));
}

TEST(TextTables, ReadQuotedCellsOverBlocks) {
  // Cells of all sizes, some larger than a block, whose text looks like rows but for its cells.
  std::string text = "user_id,item_id,timestamp,text\n", expected;
  for (int row = 0; row < 3000; ++row) {
    std::string cell;
    for (int line = 0; line < row % 40 * (row % 500 == 39 ? 200 : 1); ++line)
      cell += "line " + std::to_string(line) + ", \"\"quoted\"\", and more\n";
    text += "u" + std::to_string(row % 7) + ",i" + std::to_string(row) + "," + std::to_string(row) +
            ",\"" + cell + "\"\n";
    if (row % 7 == 3) expected += (expected.empty() ? "i" : " i") + std::to_string(row);
  }
  ASSERT_GT(text.size(), 10 * LineBlocks::kBlockBytes);
  const Dataset dataset = open_log(text, {}, {}, "log.csv");
  EXPECT_EQ(dataset.n_interactions(), 3000);
  EXPECT_EQ(items_of(dataset, "u3"), expected);
}

TEST(TextTables, NameTheLineOfAnUnclosedQuote) {
  const std::string wrong =
      ": a cell starts with a double quote that is not closed (--set data.raw_cells=true takes "
      "quotes "
      "as "
      "they are)";
  const std::string header = "user_id\titem_id\ttimestamp\n";
  // Closed by nothing; by the quote of another cell; by one that ends a cell of a later row.
  for (const std::string rows :
       {"a\t\"x\t1\na\ty\t2\n", "a\t\"x\t1\na\ty\t2\na\t\"All\" z\t3\n",
        "a\t\"x\t1\na\tThe 5\"\t2\na\tz\t3\n", "a\t\"x\t1\na\ty\t2\na\tThe 5\"\t3\na\tz\t4\n"}) {
    EXPECT_EQ(error_of_log<DataError>(header + "a\tv\t0\n" + rows, {}, {}, "log.tsv"),
              "log.tsv:3" + wrong);
    DataOptions raw;
    raw.raw_cells = true;
    EXPECT_EQ(open_log(header + "a\tv\t0\n" + rows, raw, {}, "log.tsv").vocabulary().item("\"x"),
              2);
  }
  // Far from its end, before many rows.
  std::string many = "user_id,item_id,timestamp\na,\"x,1\n";
  for (int row = 0; row < 100000; ++row) many += "a,y,2\n";
  EXPECT_EQ(error_of_log<DataError>(many, {}, {}, "log.csv"), "log.csv:2" + wrong);
  EXPECT_EQ(error_of_log<DataError>(many + "a,The 5\",3\n", {}, {}, "log.csv"),
            "log.csv:2" + wrong);
  // On a later line of its row.
  EXPECT_EQ(error_of_log<DataError>("user_id,note,item_id,timestamp\na,\"1\n2\",\"x,1\n", {}, {},
                                    "log.csv"),
            "log.csv:3" + wrong);
}

TEST(TextTables, TakeUnnamedColumnsAndNoHeaderAsData) {
  EXPECT_EQ(items_of(open_log("Unnamed: 0,user_id,item_id,timestamp,,\n0,u,a,1,,\n1,u,b,2,,\n", {},
                              {}, "t.csv"),
                     "u"),
            "a b");
  DataOptions no_times;
  no_times.time_column = "none";
  EXPECT_TRUE(error_of_log<DataError>("user_id,item_id\nu,a\nu,b\nuser_id,item_id\nu,c\n", no_times,
                                      {}, "t.csv")
                  .starts_with("t.csv:4: the header once more"));
}

TEST(TextTables, TakeFileOrderWithoutTimes) {
  const std::string rows = "u,c,3\nu,a,1\nv,x,9\nu,b,2\n";
  for (const std::string none : {"", "none"}) {
    DataOptions options;
    options.time_column = none;
    const Dataset dataset = open_log("user_id,item_id,timestamp\n" + rows, options, {}, "log.csv");
    EXPECT_EQ(items_of(dataset, "u"), "c a b");
    EXPECT_FALSE(dataset.times().known);
    EXPECT_EQ(dataset.read_summary().first, "user 'u', item 'c'");
  }
  EXPECT_EQ(error_of_log<DataError>("user_id,item_id\nu,a\n", {}, {}, "log.csv"),
            "log.csv:1: no column 'timestamp'; the header has user_id, item_id; --set "
            "data.time_column=NAME names another; --set data.time_column=none takes events in file "
            "order");
}

TEST(TextTables, ReadOtherEncodings) {
  const std::string plain = "user_id,item_id,timestamp\na,caf\xC3\xA9,1\na,th\xC3\xA9,2\n";
  std::string latin = plain, wide = "\xFF\xFE", big = "\xFE\xFF";
  for (std::size_t at; (at = latin.find("\xC3\xA9")) != std::string::npos;)
    latin.replace(at, 2, "\xE9");
  for (const char c : latin) {
    wide += c, wide += '\0';
    big += '\0', big += c;
  }
  const auto read = [](const std::string& text, const std::string& encoding) {
    DataOptions options;
    options.encoding = encoding;
    return items_of(open_log(text, options, {}, "log.csv"), "a");
  };
  const std::string expected = "caf\xC3\xA9 th\xC3\xA9";
  for (const std::string name : {"latin-1", "iso-8859-1", "LATIN1", "windows-1252", "cp1252"})
    EXPECT_EQ(read(latin, name), expected) << name;
  EXPECT_EQ(read(wide, "utf-16"), expected);
  EXPECT_EQ(read(big, "utf-16"), expected);
  EXPECT_EQ(read(wide, "utf-16le"), expected);  // The mark becomes one of UTF-8.
  EXPECT_EQ(read(wide.substr(2), "utf-16le"), expected);
  EXPECT_EQ(read("\xEF\xBB\xBF" + plain, "utf-8-sig"), expected);
  EXPECT_EQ(read(plain, "UTF8"), expected);
}

TEST(TextTables, ReadTheLastCharacterOfEncodingsThatComposeCharacters) {
  // In windows-1258 a letter waits for an accent that may stand behind it.
  DataOptions options;
  options.encoding = "windows-1258";
  const std::string text = "user_id,timestamp,item_id\nu,1,be\xEC\nu,2,ca";
  const iconv_t converter = iconv_open("UTF-8", options.encoding.c_str());
  if (converter == reinterpret_cast<iconv_t>(-1)) GTEST_SKIP() << "iconv() has no windows-1258";
  iconv_close(converter);
  EXPECT_EQ(items_of(open_log(text, options, {}, "log.csv"), "u"), "b\xC3\xA9 ca");
}

TEST(TextTables, NameTheFirstOfSeveralErrors) {
  // What is read beside the parsing of earlier blocks may fail first.
  DataOptions options;
  const std::string head = "user_id,item_id,timestamp\n";
  std::string rows;
  for (int row = 0; row < 50000; ++row) rows += "a,x,1\n";
  const std::string text = head + rows + "a,x,one\n" + rows + rows;
  options.max_text_gib = 8e-4;  // 858,994 bytes; the word is at 300,026.
  EXPECT_TRUE(contains(error_of_log<DataError>(text, options, {}, "log.csv"), "log.csv:50002: "));
  options.max_text_gib = 0;
  options.encoding = "shift_jis";
  EXPECT_TRUE(contains(error_of_log<DataError>(text + "a,\xA0\xFF,1\n", options, {}, "log.csv"),
                       "log.csv:50002: "));
  options.encoding = "utf-8";
  EXPECT_TRUE(contains(error_of_log<DataError>(text + std::string(std::size_t{65} << 20, 'a'),
                                               options, {}, "log.csv"),
                       "log.csv:50002: "));
}

TEST(TextTables, RefuseBytesOfAnotherEncoding) {
  DataOptions options;
  options.encoding = "shift_jis";
  std::string text = "user_id,item_id,timestamp\n";
  for (int row = 0; row < 50000; ++row) text += "a,x,1\n";
  EXPECT_TRUE(error_of_log<DataError>(text + "a,\xA0\xFF,1\n", options, {}, "log.csv")
                  .starts_with("log.csv:50002: the bytes \\xa0\\xff\\x2c\\x31 are no text in "
                               "data.encoding = \"shift_jis\""));
  options.encoding = "utf-16";
  EXPECT_TRUE(error_of_log<DataError>("\xFF\xFE"
                                      "a",
                                      options, {}, "log.csv")
                  .starts_with("log.csv:1: the bytes \\x61 are no text"));
  for (const std::string name : {"klingon", "", "latin-1//IGNORE", "utf-16 "}) {
    options.encoding = name;
    EXPECT_TRUE(error_of_log<ConfigError>(text, options).starts_with("data.encoding = \"" + name));
  }
}

TEST(TextTables, SayWhatAFileIsThatIsNoText) {
  const auto message = [](const std::string& bytes) {
    return error_of_log<DataError>(bytes, {}, {}, "log.csv");
  };
  const std::string tar = std::string(257, 'a') + "ustar" + std::string(300, '\0');
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {std::string("PK\x03\x04\x14\0\0\0", 8), "unzip"},
      {std::string("PK\x03\x04\x14\0\0\0xl/workbook.xml", 23), "Excel"},
      {"PAR1\x15\x04", "Parquet"},
      {"BZh91AY&SY", "bunzip2"},
      {std::string("\xFD\x37zXZ\0", 6), "unxz"},
      {tar, "tar -xf"},
      {std::string("\xFF\xFEu\0s\0", 6), "--set data.encoding=utf-16"},
      {std::string("u\0s\0e\0r\0_\0i\0d\0", 14), "--set data.encoding=utf-16le"},
      {"<!DOCTYPE html>\n<html>", "web page"},
      {"user_id,item_id,caf\xE9\na,b,c\n", "--set data.encoding=latin-1"}};
  for (const auto& [bytes, sign] : kinds) {
    EXPECT_TRUE(contains(message(bytes), sign)) << message(bytes);
    EXPECT_TRUE(message(bytes).starts_with("log.csv:1: ")) << message(bytes);
  }
}

TEST(TextTables, ReadNamesInAnotherEncoding) {
  const testing::TemporaryFolder folder;
  const std::string log =
      folder.write("latin.inter", std::string(testing::kHeader) + "u\t1\t1\nu\t2\t2\nv\t2\t1\n");
  folder.write("latin.item", "item_id:token\tmovie_title:token_seq\n1\tMis\xE9rables\n2\tToy\n");
  RunContext run;
  try {
    Dataset::open(log, {}, {}, run);
    ADD_FAILURE();
  } catch (const DataError& error) {
    EXPECT_TRUE(contains(error.what(),
                         "latin.item:2: token 'Mis\\xe9rables' is not valid UTF-8 "
                         "(--set data.encoding=latin-1"))
        << error.what();
  }
  DataOptions options;
  options.encoding = "latin-1";
  const Dataset dataset = Dataset::open(log, options, {}, run);
  EXPECT_EQ(dataset.vocabulary().item_name(dataset.vocabulary().item("1")), "Mis\xC3\xA9rables");
}

TEST(TextTables, ReadSeveralFilesAsOneLog) {
  const testing::TemporaryFolder folder;
  RunContext run;
  const std::string first =
      folder.write("a.csv", "user_id,item_id,timestamp\nu,a,1\nv,x,5\nu,b,4\n");
  const std::string second = folder.write("b.csv", "timestamp;item_id;user_id\n2.5;c;u\n6;y;v\n");
  const std::string third = folder.write("c.inter", std::string(testing::kHeader) + "u\td\t3\n");
  const Dataset dataset = Dataset::open({first, second, third}, {}, {}, run);
  EXPECT_EQ(items_of(dataset, "u"), "a c d b");
  EXPECT_EQ(items_of(dataset, "v"), "x y");
  EXPECT_EQ(dataset.name(), "a");
  // The same as one file.
  const std::string one = folder.write(
      "one.csv", "user_id,item_id,timestamp\nu,a,1\nv,x,5\nu,b,4\nu,c,2.5\nv,y,6\nu,d,3\n");
  EXPECT_EQ(Dataset::open(one, {}, {}, run).hash(), dataset.hash());

  const auto message = [&](const std::vector<std::string>& files, const DataOptions& options) {
    try {
      Dataset::open(files, options, {}, run);
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string lacking = folder.write("d.csv", "user_id,timestamp\nu,9\n");
  EXPECT_TRUE(message({first, lacking}, {}).starts_with(lacking + ":1: no column 'item_id'"));
  DataOptions few;
  few.max_events = 4;
  EXPECT_TRUE(contains(message({first, second}, few), "b.csv:3: more than 4 rows"));
  const std::string lines = folder.write("e.txt", "u a b c\nv a\n");
  EXPECT_TRUE(message({first, lines}, {}).starts_with(lines + ": of the files"));
}

TEST(TextTables, FilesOfOneLogCountTimesInOneUnit) {
  const testing::TemporaryFolder folder;
  RunContext run;
  const std::string head = "user_id,item_id,timestamp\n";
  const std::string seconds = folder.write("s.csv", head + "u,a,1300000000\nu,b,1300000005\n");
  const std::string fine = folder.write("ms.csv", head + "u,c,1300000001000\nu,d,1300000002000\n");
  const std::string counted = folder.write("n.csv", head + "u,e,1\nu,f,2\n");
  const auto message = [&](const std::vector<std::string>& files, const DataOptions& options) {
    try {
      Dataset::open(files, options, {}, run);
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  DataOptions in_milliseconds;
  in_milliseconds.time_unit = TimeUnit::milliseconds;
  ::testing::internal::CaptureStderr();
  for (const DataOptions& options : {DataOptions(), in_milliseconds}) {
    EXPECT_TRUE(
        message({seconds, fine}, options)
            .starts_with(fine + ": its times look like milliseconds (1300000001000), those"))
        << message({seconds, fine}, options);
    EXPECT_TRUE(contains(message({fine, seconds}, options), "{$3 = sprintf(\"%.0f\", $3 * 1e3)}"));
    EXPECT_EQ(message({fine}, options) + message({seconds, counted}, options), "");
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  const std::string mixed =
      folder.write("mixed.csv", head + "u,a,1300000000\nu,b,1300000005\nu,c,1300000001000\n");
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(message({mixed}, {}), "");
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(contains(said,
                       "mixed.csv: times such as 1300000000 look like seconds, 1 of them "
                       "such as 1300000001000 like milliseconds"))
      << said;
}

TEST(TextTables, SayThatBlanksMakeOtherItems) {
  const testing::TemporaryFolder folder;
  RunContext run;
  const std::string file =
      folder.write("log.csv", "user_id, item_id, timestamp\nu, a, 1\nu,a, 2\nv, b, 3\n");
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Dataset::open(file, {}, {}, run).catalogue().n_items, 4);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(contains(said,
                       "2 of 3 items begin or end with blanks, which are part of them: ' a' "
                       "is not 'a', which is there, too; --set 'data.separator=\", \"'"))
      << said;
  DataOptions options;
  options.separator = ", ";
  const std::string wide =
      folder.write("wide.csv", "user_id, item_id, timestamp\nu, a, 1\nu, a, 2\nv, b, 3\n");
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Dataset::open(wide, options, {}, run).catalogue().n_items, 3);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(TextTables, ReadStandardInput) {
  const testing::TemporaryFolder folder;
  const std::string file = folder.write("log", "user_id,item_id,timestamp\nu,b,2\nu,a,1\n");
  const int saved = ::dup(STDIN_FILENO);
  ASSERT_NE(::freopen(file.c_str(), "r", stdin), nullptr);
  RunContext run;
  const Dataset dataset = Dataset::open("-", {}, {}, run);
  ::dup2(saved, STDIN_FILENO);
  ::close(saved);
  EXPECT_EQ(items_of(dataset, "u"), "a b");
  EXPECT_EQ(dataset.name(), "stdin");
}

TEST(TextTables, TellTokensWithLineEndsFromOthers) {
  const Dataset one = open_log("user_id,item_id,timestamp\nu,\"a\nb\",1\nu,c,2\n", {}, {}, "t.csv");
  EXPECT_EQ(items_of(one, "u"), "a\nb c");
  EXPECT_NE(one.hash(),
            open_log("user_id,item_id,timestamp\nu,a,1\nu,\"b\nc\",2\n", {}, {}, "t.csv").hash());
}

TEST(TextTables, AHeaderOfWordsIsNoRow) {
  DataOptions options;
  options.columns = {"user_id", "item_id"};
  options.time_column = "none";
  for (const char* header : {"visitor,thing", "person,film", "visitor,film"})
    EXPECT_NE(error_of_log<DataError>(std::string(header) + "\nu,a\nu,b\n", options, {}, "t.csv")
                  .find("this line is a header"),
              std::string::npos)
        << header;
}

TEST(TextTables, AtomicFilesWithoutTypesNameTheSettings) {
  EXPECT_NE(error_of_log<DataError>("user_id\titem_id\ttimestamp\nu\tx\t1\n")
                .find("--set data.format=csv"),
            std::string::npos);
}

}  // namespace
}  // namespace recloom
