// Splits that come with the data, and rows of new sessions, as a user meets them.
#include "cli/program_test.hpp"

namespace recloom::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Splits : public ProgramTest {
 protected:
  std::vector<int> rows_of(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"data", "stats"});
    const Json rows = json_of(std::move(arguments))["rows"];
    return {rows["train"].get<int>(), rows["valid"].get<int>(), rows["test"].get<int>()};
  }
};

constexpr const char* kLists = "session_id:token\titem_id_list:token_seq\titem_id:token\n";

TEST_F(Splits, BenchmarkFolders) {
  folder.write("bench/bench.train.inter", std::string(kLists) + "1\t10 11 12\t13\n2\t11 12\t10\n");
  folder.write("bench/bench.valid.inter", std::string(kLists) + "3\t10 11\t12\n");
  folder.write("bench/bench.test.inter", std::string(kLists) + "4\t12 14\t11\n");
  EXPECT_THAT(rows_of({"bench"}), ElementsAre(2, 1, 1));
  const ProgramResult trained =
      recloom({"train", "bench", "--model", "markov", "--run-dir", "m", "--set", "eval.topk=[5]"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const Json again = json_of({"evaluate", "m", "bench"});
  EXPECT_EQ(again["same_data"], true);
  EXPECT_EQ(again["test"]["ndcg@5"],
            Json::parse(read_text(folder.file("m/report.json")))["test"]["ndcg@5"]);
  // Another log than the three files needs another split, and the message says which.
  folder.write("other.inter", std::string(kLists) + "7\t10 11\t12\n7\t10\t11\n");
  const ProgramResult other = recloom({"evaluate", "m", "other.inter"});
  EXPECT_EQ(other.exit_code, 6) << other.err;
  EXPECT_THAT(other.err, HasSubstr("--set split.mode=test"));
  EXPECT_EQ(json_of({"evaluate", "m", "other.inter", "--set", "split.mode=test"})["test"]["rows"],
            2);
}

TEST_F(Splits, ListsThatNothingReads) {
  folder.write("mixed.inter",
               "user_id:token\titem_id_list:token_seq\titem_id:token\ttimestamp:float\n"
               "1\t10 11 12\t13\t4\n2\t11 12\t10\t3\n1\t13\t10\t9\n");
  const ProgramResult result = recloom({"data", "stats", "mixed.inter"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(lines_of(result.err), 1) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("item_id_list"), HasSubstr("--set split.mode=given")));
  EXPECT_THAT(rows_of({"mixed.inter", "--set", "split.mode=given"}), ElementsAre(3, 0, 0));
}

TEST_F(Splits, NewSessions) {
  folder.write("log.txt", "s1 a b c d\ns2 b c d a\ns3 c d\ns4 a b c d e f\n");
  folder.write("new.txt", "t1 a b c d\n");
  ASSERT_EQ(recloom({"train", "log.txt", "--model", "markov", "--set", "split.mode=none",
                     "--run-dir", "m"})
                .exit_code,
            0);
  const ProgramResult none = recloom({"evaluate", "m", "new.txt"});
  EXPECT_EQ(none.exit_code, 3);
  EXPECT_THAT(none.err, HasSubstr("--set split.mode=test"));
  const ProgramResult all =
      recloom({"evaluate", "m", "new.txt", "--set", "split.mode=test", "--rows", "rows.tsv"});
  ASSERT_EQ(all.exit_code, 0) << all.err;
  EXPECT_THAT(
      read_text(folder.file("rows.tsv")),
      AllOf(HasSubstr("\nt1\tb\t1\t"), HasSubstr("\nt1\tc\t1\t"), HasSubstr("\nt1\td\t1\t")));
  const ProgramResult train =
      recloom({"train", "log.txt", "--model", "markov", "--set", "split.mode=test"});
  EXPECT_EQ(train.exit_code, 2);
  EXPECT_THAT(train.err, HasSubstr("--set split.mode=none"));
}

TEST_F(Splits, PointsInTime) {
  folder.write("log.csv",
               "user_id,item_id,timestamp\nu,a,1\nu,b,2\nu,c,11\nu,d,21\nv,a,5\nv,b,12\nv,c,22\n"
               "w,d,23\nw,a,24\n");
  const std::vector<std::string> at = {"log.csv", "--set", "split.mode=temporal", "--set"};
  const auto with = [&](const char* setting) {
    std::vector<std::string> arguments = at;
    arguments.emplace_back(setting);
    return arguments;
  };
  EXPECT_THAT(rows_of(with("split.times=[10,20]")), ElementsAre(1, 2, 3));
  EXPECT_THAT(rows_of(with("split.times=[\"10\", \"20\"]")), ElementsAre(1, 2, 3));
  EXPECT_THAT(rows_of(with("split.times=[1970-01-01T00:00:10, 1970-01-01T00:00:20]")),
              ElementsAre(1, 2, 3));
  EXPECT_THAT(rows_of(with("split.times=20")), ElementsAre(3, 0, 3));
  EXPECT_THAT(rows_of(with("split.times=1970-01-01T00:00:20")), ElementsAre(3, 0, 3));
  std::vector<std::string> single = with("split.last_days=7");
  single.insert(single.begin(), {"data", "stats"});
  const ProgramResult refused = recloom(single);
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("as in [7]"));
}

/// The protocol of Caser's authors on files as they write them.
class AuthorProtocol : public Splits {
 protected:
  AuthorProtocol() {
    folder.write("train.txt",
                 "u 1 5\nu 2 5\nu 3 4\nv 1 1\nv 3 1\nw 3 1\nw 2 1\nw 4 1\n"
                 "x 5 2\nx 3 1\nx 6 1\n");
    folder.write("test.txt", "u 4 1\nu 7 1\nv 2 1\nu 1 1\nu 4 1\nv 6 1\nx 3 1\n");
  }
  static std::vector<std::string> train(const char* model) {
    return {"train",     "train.txt",
            "--model",   model,
            "--recipe",  "caser-pytorch",
            "--run-dir", "m",
            "--set",     "split.mode=given",
            "--set",     "split.test_file=test.txt",
            "--set",     "split.targets=together",
            "--set",     "eval.mask_history=strict",
            "--set",     "eval.precision_divisor=list",
            "--set",     "eval.metrics=[\"ap\", \"precision\", \"recall\"]",
            "--set",     "eval.topk=[1, 5, 10]"};
  }
};

// Targets of training rows: 3 three times, 2 twice, 4 and 6 once; 1, 5 and 7 never. So the order is
// 3 2 4 6 1 5 7, of which u is shown 4 6 5 7, v 2 4 6 5 7 and x 2 4 1 7. u asks for 4, 7 and 1,
// which it has; v for 2 and 6; x for 3, which it has; w for nothing.
TEST_F(AuthorProtocol, ByHand) {
  const ProgramResult trained = recloom(train("pop"));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_THAT(trained.out, AllOf(HasSubstr("a row is a user"),
                                 HasSubstr("leaves out rows that ask for no others")));
  const Json report = Json::parse(read_text(folder.file("m/report.json")))["test"];
  EXPECT_EQ(report["rows"], 3);
  EXPECT_EQ(report["targets"], 7);
  const std::pair<const char*, double> wanted[] = {
      {"ap", ((1.0 + 2 / 4.0) / 3 + (1.0 + 2 / 3.0) / 2 + 0) / 3},
      {"precision@1", 2 / 3.0},
      {"precision@5", (2 / 4.0 + 2 / 5.0) / 3},
      {"precision@10", (2 / 4.0 + 2 / 5.0) / 3},
      {"recall@1", (1 / 3.0 + 1 / 2.0) / 3},
      {"recall@5", (2 / 3.0 + 1) / 3}};
  for (const auto& [key, value] : wanted)
    EXPECT_NEAR(report[key].get<double>(), value, 1e-12) << key;
  const ProgramResult again = recloom({"evaluate", "m", "train.txt", "--rows", "rows.tsv"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.out, AllOf(HasSubstr("3 rows with 7 targets"), HasSubstr("a row is a user"),
                               HasSubstr("eval.precision_divisor = \"list\"")));
  EXPECT_THAT(read_text(folder.file("rows.tsv")),
              AllOf(HasSubstr("\nu\t4,7,1,4\t1,4,inf\t0.5\t"), HasSubstr("\nv\t2,6\t1,3\t"),
                    HasSubstr("\nx\t3\tinf\t0\t")));
  const Json stats = json_of({"data", "stats", "train.txt", "--recipe", "caser-pytorch", "--set",
                              "split.mode=given", "--set", "split.test_file=test.txt", "--set",
                              "split.targets=together"});
  EXPECT_EQ(stats["rows"]["test"], 3);
  EXPECT_EQ(stats["targets"]["test"], 7);
}

TEST_F(AuthorProtocol, ItemsThatTheModelLacksAreMisses) {
  ASSERT_EQ(recloom(train("pop")).exit_code, 0);
  folder.write("other.txt", "u 9 1\nu 4 1\nu 9 1\nu 8 1\n");
  const Json report = json_of({"evaluate", "m", "train.txt", "--set", "split.test_file=other.txt"});
  EXPECT_EQ(report["unknown_targets"], 2);
  EXPECT_EQ(report["trained_rows"], 0);
  EXPECT_EQ(report["test"]["rows"], 1);
  EXPECT_EQ(report["test"]["targets"], 4);
  EXPECT_NEAR(report["test"]["ap"].get<double>(), 1 / 3.0, 1e-12) << "9 counts once";
  EXPECT_NEAR(report["test"]["recall@5"].get<double>(), 1 / 3.0, 1e-12);
}

TEST_F(AuthorProtocol, CountsRowsThatWereTrainedOn) {
  ASSERT_EQ(recloom(train("pop")).exit_code, 0);
  folder.write("less.txt", "u 1 5\nv 1 1\nv 3 1\n");
  folder.write("more.txt", "u 2 5\nu 3 4\nu 4 1\nv 2 1\nv 6 1\n");
  const Json report = json_of({"evaluate", "m", "less.txt", "--set", "split.test_file=more.txt"});
  EXPECT_EQ(report["test"]["rows"], 2);
  EXPECT_EQ(report["trained_rows"], 1) << "of u, who asks for 2 and 3";
}

TEST_F(AuthorProtocol, AsksForAMetricOnlyWhereItValidates) {
  std::vector<std::string> arguments = train("caser");
  arguments.insert(arguments.end(), {"--set", "train.epochs=1"});
  const ProgramResult without = recloom(arguments);
  EXPECT_EQ(without.exit_code, 0) << without.err;
  folder.write("valid.txt", "u 5 1\n");
  arguments[7] = "other";
  arguments.insert(arguments.end(), {"--set", "split.valid_file=valid.txt"});
  const ProgramResult with = recloom(arguments);
  EXPECT_EQ(with.exit_code, 2) << with.out;
  EXPECT_THAT(with.err, HasSubstr("--set train.valid_metric=ap"));
}

TEST_F(AuthorProtocol, ChoosesTheEpoch) {
  folder.write("valid.txt", "u 5 1\nu 6 1\nv 4 1\n");
  std::vector<std::string> arguments = train("caser");
  for (const char* setting : {"split.valid_file=valid.txt", "train.valid_metric=ap",
                              "train.epochs=2", "train.learning_rate=0.01"}) {
    arguments.emplace_back("--set");
    arguments.emplace_back(setting);
  }
  const ProgramResult trained = recloom(arguments);
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const Json report = Json::parse(read_text(folder.file("m/report.json")));
  EXPECT_EQ(report["valid"]["rows"], 2);
  EXPECT_EQ(report["valid"]["targets"], 3);
  EXPECT_EQ(report["test"]["rows"], 3);
  EXPECT_GT(report["valid"]["ap"].get<double>(), 0);
  const Json again = json_of({"evaluate", "m", "train.txt", "--part", "valid"});
  EXPECT_EQ(again["valid"]["ap"], report["valid"]["ap"]);
}

TEST_F(Splits, Sessions) {
  folder.write("log.csv", "user_id,item_id,timestamp\nu,a,0\nu,b,1800\nu,c,3601\nu,d,3602\n");
  const Json stats = json_of(
      {"data", "stats", "log.csv", "--set", "data.session_gap=1800", "--set", "split.mode=none"});
  EXPECT_EQ(stats["users"], 2);
  EXPECT_EQ(stats["rows"]["train"], 2);
}

}  // namespace
}  // namespace recloom::testing
