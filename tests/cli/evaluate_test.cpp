// What `evaluate` says of rows, targets and settings beside the figures; and --strict.
#include "cli/program_test.hpp"

namespace recloom::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Evaluate : public ProgramTest {
 protected:
  std::string run(std::vector<std::string> arguments) {
    const ProgramResult result = recloom(std::move(arguments));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    said = result.err;
    return result.out;
  }
  /// The first columns of a table of rows.
  std::vector<std::string> rows(const std::string& file) {
    std::istringstream in(read_text(folder.path() / file));
    std::vector<std::string> found;
    for (std::string line, cell; std::getline(in, line);) {
      std::istringstream cells(line);
      std::string row;
      for (int column = 0; column < 3 && std::getline(cells, cell, '\t'); ++column)
        row += (column > 0 ? " " : "") + cell;
      found.push_back(row);
    }
    return found;
  }
  std::string said;  ///< On standard error.
};

TEST_F(Evaluate, SaysWhichRowsWereTrainedOn) {
  toy();
  run({"train", "toy.inter", "--model", "markov", "--set", "split.mode=none", "--run-dir", "all"});
  run({"train", "toy.inter", "--model", "markov", "--run-dir", "honest"});
  const std::vector<std::string> last = {"toy.inter", "--set", "split.mode=leave_one_out"};
  const auto evaluate = [&](const std::string& model) {
    std::vector<std::string> arguments = {"evaluate", model};
    arguments.insert(arguments.end(), last.begin(), last.end());
    return arguments;
  };
  EXPECT_THAT(run(evaluate("all")),
              HasSubstr("8 of 8 rows were trained on: the figures say how well the model "
                        "remembers"));
  EXPECT_THAT(run(evaluate("honest")), Not(HasSubstr("trained on")));
  const Json remembered = json_of(evaluate("all")), honest = json_of(evaluate("honest"));
  EXPECT_EQ(remembered["trained_rows"], 8);
  EXPECT_EQ(honest["trained_rows"], 0);
  EXPECT_EQ(honest["uncertain_rows"], 0);
  EXPECT_EQ(honest["knows_trained_rows"], true);
  EXPECT_NE(remembered["protocol_hash"], honest["protocol_hash"]);
}

// Targets of the training: b c, c a, a b. Those of the test are x, y and a; x and y stand behind
// the three that were trained.
TEST_F(Evaluate, SaysWhichTargetsWereNeverTrained) {
  folder.write("log.txt", "u1 a b c x\nu2 b c a y\nu3 c a b a\n");
  const std::vector<std::string> train = {"train",     "log.txt",
                                          "--model",   "pop",
                                          "--run-dir", "run",
                                          "--set",     "split.held_out=test_only",
                                          "--set",     "eval.topk=[3,5]"};
  EXPECT_THAT(run(train), HasSubstr("2 targets of 3 test rows were never trained"));
  const Json report = Json::parse(read_text(folder.path() / "run/report.json"));
  EXPECT_EQ(report["test"]["cold_targets"], 2);
  EXPECT_DOUBLE_EQ(report["test"]["hit@3"], 1 / 3.0);
  EXPECT_EQ(report["test"]["hit@5"], 1.0);
  run({"evaluate", "run", "log.txt", "--rows", "rows.tsv"});
  EXPECT_THAT(rows("rows.tsv"), ElementsAre("user target rank", "u1 x 4", "u2 y 5", "u3 a 1"));
  const Json dropped = json_of({"evaluate", "run", "log.txt", "--set", "eval.cold_targets=drop"});
  EXPECT_EQ(dropped["test"]["rows"], 1);
  EXPECT_EQ(dropped["test"]["hit@3"], 1.0);
  EXPECT_EQ(dropped["dropped_rows"], 2);
  EXPECT_EQ(dropped["cold_targets"], 2);
  EXPECT_NE(dropped["protocol_hash"], report["protocol_hash"]);
}

// After b the chain has seen c twice, after c d three times; x, y and z it does not know.
TEST_F(Evaluate, KeepsTheNamesOfStrangers) {
  folder.write("old.txt", "u1 a b c d\nu2 b c d a\nu3 c d a b\n");
  folder.write("new.txt", "u1 a b x c\nu9 b c y\nu2 z b c d\n");
  run({"train", "old.txt", "--model", "markov", "--set", "split.mode=none", "--run-dir", "run"});
  const Json report = json_of({"evaluate", "run", "new.txt", "--set", "split.mode=leave_one_out",
                               "--set", "split.held_out=test_only", "--rows", "rows.tsv"});
  EXPECT_THAT(rows("rows.tsv"), ElementsAre("user target rank", "u1 c 1", "u9 y inf", "u2 d 1"));
  EXPECT_NEAR(report["test"]["mrr@10"].get<double>(), 2 / 3.0, 1e-12);
  EXPECT_EQ(report["unknown_targets"], 1);
  EXPECT_EQ(report["cold_targets"], 1);
  EXPECT_EQ(report["unknown_history_items"], 2);
  EXPECT_EQ(report["unknown_users"], 1);
  EXPECT_EQ(report["uncertain_rows"], 2) << "u1 and u2 were trained on with other events";
}

TEST_F(Evaluate, SettingsThatDoNothingAreSaidOrRefused) {
  toy();
  const std::vector<std::vector<std::string>> commands = {
      {"train", "toy.inter", "--model", "pop", "--run-dir", "run", "--set", "split.ratios=[1,1,1]"},
      {"evaluate", "run", "toy.inter", "--set", "split.ratios=[1,1,1]"},
      {"compare", "toy.inter", "--models", "pop,markov", "--set", "split.ratios=[1,1,1]"},
      {"data", "stats", "toy.inter", "--set", "split.ratios=[1,1,1]"}};
  for (std::vector<std::string> command : commands) {
    SCOPED_TRACE(command.front());
    run(command);
    EXPECT_THAT(said, HasSubstr("warning: --set: split.ratios does nothing: "));
    // train and compare say how the log was read, once.
    const bool reads = command.front() == "train" || command.front() == "compare";
    EXPECT_EQ(lines_of(said), reads ? 2 : 1) << said;
    if (command.front() == "train") command[5] = "other";
    command.emplace_back("--strict");
    const ProgramResult refused = recloom(command);
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.err, HasSubstr("split.ratios does nothing"));
    EXPECT_EQ(refused.out, "");
  }
  // What one of several models looks at is no mistake.
  run({"compare", "toy.inter", "--models", "pop,gru4rec", "--epochs", "1"});
  EXPECT_THAT(said, Not(HasSubstr("does nothing")));
}

TEST_F(Evaluate, AFasterWayOfTrainingIsNamedOnce) {
  toy();
  const std::vector<std::string> train = {"train", "toy.inter", "--epochs",
                                          "1",     "--set",     "split.mode=none"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), train.begin(), train.end());
    run(more);
    const std::string key = "train.batching=sequences";
    std::size_t times = 0, at = 0;
    while ((at = said.find(key, at)) != std::string::npos) ++times, at += key.size();
    return times;
  };
  EXPECT_EQ(with({"--model", "gru4rec", "--set", "data.max_length=4"}), 1U);
  EXPECT_THAT(said, HasSubstr("8 users with more than 4 training rows"));
  EXPECT_EQ(with({"--model", "gru4rec", "--set", "train.batching=rows"}), 0U);
  EXPECT_EQ(with({"--model", "caser"}), 0U) << "it looks at any position";
  EXPECT_EQ(with({"--model", "pop"}), 0U);
}

TEST_F(Evaluate, FiguresSayHowTheyWereRanked) {
  toy();
  const std::string out = run({"train", "toy.inter", "--model", "pop", "--run-dir", "run", "--set",
                               "eval.candidates=uni2", "--set", "eval.mask_history=full"});
  EXPECT_THAT(out, HasSubstr("ranked by eval.candidates = \"uni2\", eval.mask_history = \"full\""));
  EXPECT_THAT(run({"evaluate", "run", "toy.inter"}), HasSubstr("eval.candidates = \"uni2\""));
  EXPECT_THAT(run({"train", "toy.inter", "--model", "pop"}), Not(HasSubstr("ranked by")));
}

TEST_F(Evaluate, NamesOfItemsAreFoundInAnyCase) {
  for (const char* column : {"TITLE", "productName", "Description"}) {
    folder.write("toy.csv",
                 "user_id,item_id,timestamp\na,x,1\na,y,2\na,z,3\nb,z,1\nb,y,2\nb,x,3\n");
    folder.write("items.csv", std::string("item_id,price,") + column + "\nx,1,An X\ny,2,A Y\n");
    const std::string folder_name = std::string("run-") + column;
    run({"train", "toy.csv", "--model", "pop", "--set", "data.item_file=items.csv", "--run-dir",
         folder_name});
    EXPECT_THAT(run({"recommend", folder_name, "--history", "y", "-k", "3"}), HasSubstr("An X"));
  }
}

// What is wrong with a setting is said before a log is read that may be long.
TEST_F(Evaluate, StrictSpeaksBeforeTheLogIsRead) {
  toy();
  folder.write("broken.inter", "user_id:token\titem_id:token\n\xFF\xFE\n");
  run({"train", "toy.inter", "--model", "pop", "--run-dir", "run"});
  const ProgramResult result = recloom(
      {"evaluate", "run", "broken.inter", "--strict", "--set", "split.ratios=[0.5,0.2,0.3]"});
  EXPECT_EQ(result.exit_code, 2) << result.err;
  EXPECT_THAT(result.err, HasSubstr("split.ratios does nothing"));
}

}  // namespace
}  // namespace recloom::testing
