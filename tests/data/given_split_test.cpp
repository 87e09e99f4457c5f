// Splits that come as files: rows by hand, and against a naive reference for random files.
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
using ::testing::HasSubstr;
using testing::kHeader;
using testing::Rows;
using testing::rows_of;
using testing::sorted;

/// Files of a split, in a folder of their own.
struct GivenFiles {
  testing::TemporaryFolder folder;
  SplitOptions split;
  DataOptions data;
  std::string train = "set.train.inter";

  GivenFiles() {
    split.mode = SplitMode::given;
    split.valid_file = "set.valid.inter";
    split.test_file = "set.test.inter";
  }
  void write(std::string_view part, const std::string& lines, std::string_view header = kHeader) {
    folder.write("set." + std::string(part) + ".inter", std::string(header) + lines);
  }
  Dataset open(int threads = 2) const {
    RunContext run(1, threads);
    return Dataset::open(folder.file(train), data, split, run);
  }
  template <class Expected>
  std::string error() const {
    try {
      open();
    } catch (const Expected& error) {
      return error.what();
    }
    return "nothing was thrown";
  }
};

TEST(GivenSplit, EventsAreRowsOfTheirFile) {
  GivenFiles files;
  files.write("train", "u\ta\t1\nu\tb\t2\nv\tb\t1\nv\ta\t2\n");
  files.write("valid", "u\tc\t3\n");
  files.write("test", "u\td\t4\nv\tc\t3\n");
  const Dataset dataset = files.open();
  EXPECT_EQ(rows_of(dataset),
            (Rows{{{"u: a > b", "v: b > a"}, {"u: a b > c"}, {"u: a b c > d", "v: b a > c"}}}));
  EXPECT_EQ(dataset.name(), "set");
  EXPECT_EQ(dataset.n_interactions(), 7);
  EXPECT_EQ(dataset.train().sequence(dataset.vocabulary().user("u")).size(), 2U);
}

TEST(GivenSplit, PartsComeBeforeTimes) {
  GivenFiles files;
  files.write("train", "u\ta\t9\nu\tb\t5\nv\tc\t1\n");
  files.write("valid", "u\tc\t1\n");
  files.write("test", "u\td\t0\nv\ta\t0\nw\ta\t2\nw\tb\t1\nw\tc\t3\nx\tz\t1\n");
  const Dataset dataset = files.open();
  // A test event's history is all that trains and validates, and sessions of new users give all
  // their next items. The lone event of x is no row.
  EXPECT_EQ(
      sorted(rows_of(dataset)),
      (Rows{
          {{"u: b > a"}, {"u: b a > c"}, {"u: b a c > d", "v: c > a", "w: b > a", "w: b a > c"}}}));
  const auto sequence = [&](const char* user) {
    return dataset.train().sequence(dataset.vocabulary().user(user)).size();
  };
  EXPECT_EQ(sequence("u"), 2U);
  EXPECT_EQ(sequence("v"), 1U);
  EXPECT_EQ(sequence("w"), 0U);
  EXPECT_EQ(sequence("x"), 0U);
}

TEST(GivenSplit, OnePartMayBeMissing) {
  GivenFiles files;
  files.write("train", "u\ta\t1\nu\tb\t2\n");
  files.write("test", "u\td\t4\n");
  files.split.valid_file = "";
  EXPECT_EQ(counts_of(files.open()), (std::array<std::size_t, 3>{1, 0, 1}));
  files.split.valid_file = files.split.test_file;
  files.split.test_file = "";
  EXPECT_EQ(counts_of(files.open()), (std::array<std::size_t, 3>{1, 1, 0}));
  files.split.valid_file = "";
  EXPECT_THAT(files.error<ConfigError>(), HasSubstr("--set split.test_file=FILE"));
  files.split.test_file = "nowhere.inter";
  EXPECT_THAT(files.error<IoError>(), AllOf(HasSubstr("split.test_file = \"nowhere.inter\""),
                                            HasSubstr("split.mode=test")));
}

TEST(GivenSplit, NoEventComesTwice) {
  GivenFiles files;
  files.write("train", "u\ta\t1\nu\tb\t2\n");
  files.write("test", "u\td\t4\n");
  files.split.valid_file = "set.train.inter";
  EXPECT_THAT(files.error<ConfigError>(),
              AllOf(HasSubstr("split.valid_file is the log itself"), HasSubstr("split.mode=test")));
  files.split.valid_file = "./set.test.inter";
  EXPECT_THAT(files.error<ConfigError>(), HasSubstr("are one file"));
}

TEST(GivenSplit, EventsOfTheTrainingFileThatAreAskedForAgainAreTold) {
  GivenFiles files;
  files.split.valid_file = "";
  files.write("train", "u\ta\t1\nu\tb\t2\nv\ta\t1\n");
  files.write("test", "u\ta\t1\nu\tb\t2\nv\ta\t1\nv\ta\t9\n");
  ::testing::internal::CaptureStderr();
  files.open();
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr(": 3 of the validation and test files' events stand in the training file"));
}

TEST(GivenSplit, PartsMayLieElsewhere) {
  GivenFiles files;
  files.write("train", "u\ta\t1\nu\tb\t2\n");
  const testing::TemporaryFolder elsewhere;
  files.split.valid_file = "";
  files.split.test_file = elsewhere.write("t.inter", std::string(kHeader) + "u\tc\t3\n");
  EXPECT_EQ(counts_of(files.open()), (std::array<std::size_t, 3>{1, 0, 1}));
}

TEST(GivenSplit, IntegerAndRealTimesGoTogether) {
  GivenFiles files;
  files.write("train", "u\ta\t1.5\nu\tb\t1\n");
  files.write("valid", "u\tc\t3\nu\td\t2\n");
  files.write("test", "u\te\t4.25\nu\tf\t4\n");
  EXPECT_EQ(rows_of(files.open()), (Rows{{{"u: b > a"},
                                          {"u: b a > d", "u: b a d > c"},
                                          {"u: b a d c > f", "u: b a d c f > e"}}}));
}

TEST(GivenSplit, TimesOfAllKindsGoTogether) {
  GivenFiles files;
  files.split.test_file = "";
  files.write("train", "u\ta\t2020-01-02T00:00:00.25Z\nu\tb\t1577836800\n");
  files.write("valid", "u\tc\t2020-01-02T00:00:00.000000002Z\nu\td\t1577923200.000000001\n");
  EXPECT_EQ(rows_of(files.open()), (Rows{{{"u: b > a"}, {"u: b a > d", "u: b a d > c"}, {}}}));
  files.write("valid", "u\tc\t1577923200000\n");
  EXPECT_THAT(files.error<DataError>(), HasSubstr("set.valid.inter:2: "));
  files.write("train", "u\ta\t5000000000000000000\nu\tb\t1\n");
  files.write("valid", "u\tc\t1.5\n");
  EXPECT_THAT(files.error<DataError>(), HasSubstr("64 bits"));
}

TEST(GivenSplit, FiltersHoldForAllPartsTogether) {
  GivenFiles files;
  files.write("train", "u\ta\t1\nu\tb\t2\nv\tb\t1\n");
  files.write("valid", "u\tc\t3\n");
  files.write("test", "u\td\t4\nv\tc\t3\nw\ta\t1\n");
  files.data.user_interval = "[2,inf)";  // v has two events in two files, w only one.
  EXPECT_EQ(sorted(rows_of(files.open())),
            (Rows{{{"u: a > b"}, {"u: a b > c"}, {"u: a b c > d", "v: b > c"}}}));
}

TEST(GivenSplit, SideTablesAreTheSets) {
  GivenFiles files;
  files.write("train", "u\ta\t1\nu\tx\t2\nu\tb\t3\n");
  files.write("valid", "u\tx\t4\nu\tc\t5\n");
  files.write("test", "u\td\t6\n");
  files.folder.write("set.item", "item_id:token\tname:token\nd\tDee\na\tA\nb\tB\nc\tC\ne\tE\n");
  const Dataset dataset = files.open();
  EXPECT_EQ(rows_of(dataset), (Rows{{{"u: a > b"}, {"u: a b > c"}, {"u: a b c > d"}}}));
  EXPECT_EQ(dataset.catalogue().n_items, 6);
  EXPECT_EQ(dataset.vocabulary().item_name(dataset.vocabulary().item("d")), "Dee");
}

TEST(GivenSplit, PartsAgreeWhereAFiltersColumnIs) {
  GivenFiles files;
  files.train = "tr.csv";
  files.split.valid_file = "";
  files.split.test_file = "te.csv";
  files.data.item_file = "items.csv";
  files.data.value_intervals = {"rating [3,inf)"};
  files.folder.write("items.csv", "item_id,rating\na,4\nb,4\nc,4\n");
  const std::string rated = "user_id,item_id,timestamp,rating\nu,a,1,3\nu,b,2,4\nu,c,3,1\n";
  std::string plain = "user_id,item_id,timestamp\n";
  for (int row = 0; row < 100'000; ++row) plain += "u,a,4\n";
  files.folder.write("tr.csv", rated);
  files.folder.write("te.csv", plain);
  EXPECT_THAT(files.error<DataError>(),
              AllOf(HasSubstr("te.csv: no column 'rating'"), HasSubstr("tr.csv")));
  files.train = "te.csv";
  files.split.test_file = "tr.csv";
  EXPECT_THAT(files.error<DataError>(),
              AllOf(HasSubstr("tr.csv: has a column 'rating'"), HasSubstr("items.csv")));
  files.train = "tr.csv";
  files.folder.write("te.csv", "user_id,item_id,timestamp,rating\nu,c,4,3\nu,a,5,2\n");
  files.split.test_file = "te.csv";
  EXPECT_EQ(rows_of(files.open()), (Rows{{{"u: a > b"}, {}, {"u: a b > c"}}}));
}

TEST(GivenSplit, SideTablesAreReadOnceAndTimesAreThoseOfAll) {
  GivenFiles files;
  files.split.valid_file = "";
  files.write("train", "u\ta\t1\nu\tb\t2\n");
  files.write("test", "u\tc\t2020-01-01\nu\tx\t2020-01-02\n");
  files.folder.write("set.item", "item_id:token\tname:token\na\tA\nb\tB\n\tnone\nc\tC\n");
  ::testing::internal::CaptureStderr();
  const Dataset dataset = files.open();
  const std::string told = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(rows_of(dataset), (Rows{{{"u: a > b"}, {}, {"u: a b > c"}}}));
  EXPECT_EQ(told.find("set.item"), told.rfind("set.item")) << told;
  EXPECT_THAT(told, HasSubstr("set.item: 1 row without user or item"));
  EXPECT_EQ(dataset.read_summary().times, "ISO 8601; integers, as seconds");
}

TEST(GivenSplit, LimitsHoldForAllPartsTogether) {
  GivenFiles files;
  files.split.valid_file = "";
  files.write("train", "u\ta\t1\nu\tb\t2\n");
  files.write("test", "u\tc\t3\nu\ta\t4\n");
  files.data.max_events = 3;
  EXPECT_THAT(files.error<DataError>(),
              AllOf(HasSubstr("set.test.inter:3: more than 3 rows"), HasSubstr("data.max_events")));
  files.data.max_events = 4;
  files.data.max_text_gib = 1e-7;  // 108 bytes; each file has 59.
  EXPECT_THAT(files.error<DataError>(),
              AllOf(HasSubstr("set.test.inter: with the files before it, the text has more than "
                              "1.006e-07 GiB (108 bytes)"),
                    HasSubstr("data.max_text_gib")));
  files.data.max_text_gib = 1.1e-7;
  EXPECT_EQ(files.open().n_interactions(), 4);
}

TEST(GivenSplit, SequencesWork) {
  GivenFiles files;
  files.folder.write("train.txt", "u a b\nv b\n");
  files.folder.write("test.txt", "u c d\nw a b\n");
  files.train = "train.txt";
  files.split.valid_file = "";
  files.split.test_file = "test.txt";
  EXPECT_EQ(rows_of(files.open()),
            (Rows{{{"u: a > b"}, {}, {"u: a b > c", "u: a b c > d", "w: a > b"}}}));
}

/// The same of random files by definition.
TEST(GivenSplit, RandomFilesEqualTheDefinition) {
  std::mt19937 random(4);
  int compared = 0;
  for (int round = 0; round < 100; ++round) {
    GivenFiles files;
    std::map<std::string, std::string> histories;
    Rows expected;
    const char* names[] = {"train", "valid", "test"};
    for (std::size_t part = 0; part < 3; ++part) {
      std::vector<std::tuple<int, std::string, std::string>> lines;
      for (int n = 1 + static_cast<int>(random() % 30); n > 0; --n)
        lines.emplace_back(random() % 20, "u" + std::to_string(random() % 8),
                           "i" + std::to_string(random() % 9));
      std::string text;
      for (const auto& [time, user, item] : lines)
        text += user + "\t" + item + "\t" + std::to_string(time) + "\n";
      files.write(names[part], text);
      std::ranges::stable_sort(lines, {}, [](const auto& line) { return std::get<0>(line); });
      for (const auto& [time, user, item] : lines) {
        std::string& history = histories[user];
        if (!history.empty()) expected[part].push_back(user + ":" + history + " > " + item);
        history += " " + item;
      }
    }
    if (expected[0].empty()) continue;
    ASSERT_EQ(sorted(rows_of(files.open())), sorted(expected)) << "round " << round;
    ++compared;
  }
  EXPECT_GT(compared, 80);
}

constexpr std::string_view kLists = "session_id:token\titem_id_list:token_seq\titem_id:token\n";

struct Benchmark : GivenFiles {
  Benchmark() { data.user_column = "session_id"; }
};

TEST(GivenHistories, EachLineIsARowWithItsOwn) {
  Benchmark files;
  files.write("train", "1\t10 11 12\t13\n2\t11 12\t10\n", kLists);
  files.write("valid", "3\t10 11\t12\n", kLists);
  files.write("test", "4\t12 14\t11\n", kLists);
  const Dataset dataset = files.open();
  EXPECT_EQ(rows_of(dataset),
            (Rows{{{"1: 10 11 12 > 13", "2: 11 12 > 10"}, {"3: 10 11 > 12"}, {"4: 12 14 > 11"}}}));
  EXPECT_EQ(dataset.catalogue().n_users, 5);
  EXPECT_EQ(dataset.catalogue().n_items, 6);
  EXPECT_EQ(dataset.vocabulary().items()[1], "10");
}

TEST(GivenHistories, MayBeListsInBrackets) {
  Benchmark files;
  files.write("train", "1\t[10, 11,12]\t13\n2\t['11', \"it's\"]\t10\n3\t[]\t10\n", kLists);
  files.write("valid", "3\t(10 11)\t12\n", kLists);
  files.write("test", "4\t[None, 12]\t11\n", kLists);
  EXPECT_EQ(rows_of(files.open()),
            (Rows{{{"1: 10 11 12 > 13", "2: 11 it's > 10"}, {"3: 10 11 > 12"}, {"4: 12 > 11"}}}));
  files.data.raw_cells = true;
  files.write("test", "4\t\"[12, 13]\"\t11\n", kLists);
  EXPECT_EQ(rows_of(files.open())[2], std::vector<std::string>{"4: 12 13 > 11"});
}

TEST(GivenHistories, AreNotPartedByCommas) {
  Benchmark files;
  files.write("train", "1\ta,b\tc\n2\ta\tb\n", kLists);
  files.write("valid", "3\ta\tb\n", kLists);
  files.write("test", "4\ta\tb\n", kLists);
  try {
    files.open();
    ADD_FAILURE();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("'a,b' is no item of a line, though a part of it is"));
  }
  // An item with a comma is one.
  files.write("test", "4\ta\ta,b\n", kLists);
  EXPECT_EQ(files.open().catalogue().n_items, 5);
}

TEST(GivenHistories, RowsOfOneUserDoNotSeeEachOther) {
  Benchmark files;
  files.write("train", "1\ta b\tc\n2\ta\tb\n1\tc\tb\n1\ta b\tc\n", kLists);
  files.write("valid", "2\tb\ta\n", kLists);
  files.write("test", "1\tb\ta\n1\t\td\n1\ta  c\tb\n", kLists);
  const Dataset dataset = files.open();
  // An empty history gives no row.
  EXPECT_EQ(rows_of(dataset), (Rows{{{"1: a b > c", "1: c > b", "1: a b > c", "2: a > b"},
                                     {"2: b > a"},
                                     {"1: b > a", "1: a c > b"}}}));
  // What a model sees of a row is its own line, also if it takes the whole history.
  const Batch rows(dataset.events(), dataset.train_rows().entries(), Batch::kWholeHistory);
  EXPECT_EQ(rows[1].history.size(), 1U);
  // Training events are those of training lines.
  EXPECT_EQ(dataset.train().sequence(dataset.vocabulary().user("1")).size(), 8U);
  EXPECT_EQ(dataset.train().sequence(dataset.vocabulary().user("2")).size(), 2U);
}

TEST(GivenHistories, HashTellsLinesApart) {
  const auto hash = [](const char* lines) {
    Benchmark files;
    files.split.valid_file = files.split.test_file = "";
    files.write("train", lines, kLists);
    return files.open().hash();
  };
  EXPECT_EQ(hash("1\ta b\tc\n1\td\te\n"), hash("1\ta b\tc\n1\td\te\n"));
  // The same events and targets, but other histories.
  EXPECT_NE(hash("1\ta b\tc\n1\td\te\n"), hash("1\tb\tc\n1\tc d\te\n"));
  EXPECT_NE(hash("1\ta b\tc\n1\t\tx\n1\td\te\n"), hash("1\ta b\tc\n1\tx d\te\n"));
}

TEST(GivenHistories, OrderOfTimesIsThatOfLines) {
  GivenFiles files;
  files.split.valid_file = files.split.test_file = "";
  files.write("train", "1\t10 11 12\t13\t4\n2\t11 12\t10\t3\n2\t10\t13\t1\n",
              "user_id:token\titem_id_list:token_seq\titem_id:token\ttimestamp:float\n");
  EXPECT_EQ(rows_of(files.open()),
            (Rows{{{"1: 10 11 12 > 13", "2: 10 > 13", "2: 11 12 > 10"}, {}, {}}}));
}

TEST(GivenHistories, FiltersOfEventsAreRefused) {
  Benchmark files;
  files.split.valid_file = files.split.test_file = "";
  files.write("train", "1\ta b\tc\n", kLists);
  files.data.user_interval = "[2,inf)";
  EXPECT_THAT(files.error<ConfigError>(), HasSubstr("--set data.user_interval=[0,inf)"));
  files.data = {};
  files.data.user_column = "session_id";
  files.data.duplicates = Duplicates::last;
  EXPECT_THAT(files.error<ConfigError>(), HasSubstr("--set data.duplicates=keep"));
  files.data.duplicates = Duplicates::keep;
  files.data.session_gap = 3;
  EXPECT_THAT(files.error<ConfigError>(), HasSubstr("--set data.session_gap=0"));
}

TEST(GivenHistories, CountAsEvents) {
  Benchmark files;
  files.split.valid_file = files.split.test_file = "";
  files.write("train", "1\ta b\tc\n1\ta b\tc\n", kLists);
  files.data.max_events = 5;
  EXPECT_THAT(files.error<DataError>(), HasSubstr("--set data.max_events=6"));
  files.data.max_events = 6;
  EXPECT_EQ(files.open().n_interactions(), 6);
}

TEST(GivenHistories, AllFilesHaveThem) {
  Benchmark files;
  files.split.valid_file = "";
  files.write("train", "1\ta b\tc\n", kLists);
  files.write("test", "1\tc\n", "session_id:token\titem_id:token\n");
  files.data.time_column = "item_id2";
  EXPECT_THAT(files.error<DataError>(), HasSubstr("set.test.inter"));
}

TEST(GivenHistories, AreTestRowsToo) {
  Benchmark files;
  files.split.mode = SplitMode::test;
  files.write("train", "1\ta b\tc\n2\ta\tb\n1\tc\tb\n", kLists);
  EXPECT_EQ(rows_of(files.open()), (Rows{{{}, {}, {"1: a b > c", "1: c > b", "2: a > b"}}}));
  files.split.targets = SplitTargets::last;
  EXPECT_EQ(rows_of(files.open()), (Rows{{{}, {}, {"1: c > b", "2: a > b"}}}));
}

TEST(GivenHistories, UnusedListsAreToldOf) {
  GivenFiles files;
  files.split.mode = SplitMode::leave_one_out;
  files.write("train", "1\t10 11 12\t13\t4\n1\t11 12\t10\t3\n",
              "user_id:token\titem_id_list:token_seq\titem_id:token\ttimestamp:float\n");
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(files.open().n_interactions(), 2);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("item_id_list"), HasSubstr("--set split.mode=given")));
  files.write("train", "1\t10 11 12\t13\t4\n1\t11 12\t10\t3\n",
              "user_id:token\tseen:token_seq\titem_id:token\ttimestamp:float\n");
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(files.open().n_interactions(), 2);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("'seen'"), HasSubstr("'item_id_list'")));
}

TEST(GivenHistories, NeedNoTypes) {
  GivenFiles files;
  files.train = "train.csv";
  files.split.valid_file = "";
  files.split.test_file = "test.csv";
  files.folder.write("train.csv", "item_id,user_id,item_id_list\nc,1,a b\nb,2,a\n");
  files.folder.write("test.csv", "item_id,user_id,item_id_list\na,1,b b\n");
  EXPECT_EQ(rows_of(files.open()), (Rows{{{"1: a b > c", "2: a > b"}, {}, {"1: b b > a"}}}));
}

TEST(GivenHistories, RandomLinesEqualTheDefinitionForAnyThreads) {
  std::mt19937 random(8);
  for (int round = 0; round < 30; ++round) {
    Benchmark files;
    Rows expected;
    const char* names[] = {"train", "valid", "test"};
    for (std::size_t part = 0; part < 3; ++part) {
      std::string text;
      for (int n = 1 + static_cast<int>(random() % 40); n > 0; --n) {
        const std::string user = "u" + std::to_string(random() % 6);
        std::string list;
        for (int length = 1 + static_cast<int>(random() % 5); length > 0; --length)
          list += (list.empty() ? "" : " ") + ("i" + std::to_string(random() % 12));
        const std::string target = "i" + std::to_string(random() % 12);
        text += user + "\t" + list + "\t" + target + "\n";
        expected[part].push_back(user + ": " + list + " > " + target);
      }
      files.write(names[part], text, kLists);
    }
    ASSERT_EQ(sorted(rows_of(files.open(1))), sorted(expected)) << "round " << round;
    EXPECT_EQ(files.open(1).hash(), files.open(5).hash());
  }
}

}  // namespace
}  // namespace recloom
