// What each command prints and leaves, for people and for machines.
#include <cstdint>
#include <fstream>
#include <limits>
#include <set>

#include "cli/program_test.hpp"

namespace recloom::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Commands : public ProgramTest {
 protected:
  /// Train a chain on the circle of toy_log() into the folder `run`.
  Json train(const std::string& model = "markov") {
    folder.write("toy.item", toy_names());
    return json_of(
        {"train", toy(), "--model", model, "--run-dir", "run", "--set", "data.name_column=title"});
  }
};

TEST_F(Commands, TrainPrintsOneObject) {
  const Json report = train();
  EXPECT_EQ(report["model"], "markov");
  EXPECT_EQ(report["seed"], 1);
  EXPECT_GE(report["timing"]["threads"], 1);
  EXPECT_EQ(report["protocol_hash"].get<std::string>().size(), 16U);
  EXPECT_EQ(report["dataset"]["users"], 8);
  EXPECT_EQ(report["dataset"]["items"], 6);
  EXPECT_EQ(report["dataset"]["interactions"], 48);
  EXPECT_EQ(report["dataset"]["hash"].get<std::string>().size(), 16U);
  // 8 users with 6 events: 3 training rows each (the first event, valid and test are no targets).
  EXPECT_EQ(report["train"]["rows"], 24);
  for (const char* key : {"train_seconds", "train_rows_per_second", "test_users_per_second"})
    EXPECT_TRUE(report["timing"][key].is_number()) << key;
  for (const char* part : {"valid", "test"})
    for (const char* key : {"hit@10", "mrr@10", "ndcg@10", "hit@20", "ndcg@20"})
      EXPECT_TRUE(report[part][key].is_number()) << part << " " << key;
  EXPECT_EQ(report["test"]["rows"], 8);
  EXPECT_EQ(report["settings"]["train"]["epochs"], 300);
  EXPECT_EQ(report["dataset"]["files"].size(), 1U);
  EXPECT_EQ(report["test"]["ndcg@10"], 1.0);  // The chain knows the circle.
  EXPECT_EQ(report["model_file"], "run/model.safetensors");
  EXPECT_TRUE(fs::exists(folder.path() / "run/model.safetensors"));
}

// One layout for people's pipes and for the folder.
TEST_F(Commands, TrainPrintsWhatTheFolderKeeps) {
  Json printed = train();
  const Json kept = Json::parse(read_text(folder.path() / "run/report.json"));
  EXPECT_EQ(printed["run_folder"], "run");
  printed.erase("run_folder");
  printed.erase("model_file");
  EXPECT_EQ(printed, kept);
}

TEST_F(Commands, TrainLeavesARunFolder) {
  train();
  const Json report = Json::parse(read_text(folder.path() / "run/report.json"));
  EXPECT_TRUE(report["timing"]["train_seconds"].is_number());
  EXPECT_FALSE(report.contains("threads"));
  EXPECT_THAT(read_text(folder.path() / "run/config.toml"), HasSubstr("smoothing = 1.0"));
}

TEST_F(Commands, ReportsAgreeButForTiming) {
  train();
  fs::rename(folder.path() / "run", folder.path() / "first");
  EXPECT_EQ(recloom({"train", toy(), "--model", "markov", "--run-dir", "run", "--threads", "3",
                     "--set", "data.name_column=title"})
                .exit_code,
            0);
  EXPECT_EQ(read_text(folder.path() / "run/model.safetensors"),
            read_text(folder.path() / "first/model.safetensors"));
  const auto without_timing = [&](const char* run) {
    Json report = Json::parse(read_text(folder.path() / run / "report.json"));
    report.erase("timing");
    return report;
  };
  EXPECT_EQ(without_timing("run"), without_timing("first"));
}

TEST_F(Commands, DefaultRunFolderTellsWhatItHolds) {
  const Json report = json_of({"train", toy(), "--model", "pop"});
  const std::string run = report["run_folder"];
  EXPECT_TRUE(run.starts_with("runs/") && run.ends_with("-pop-toy")) << run;
}

TEST_F(Commands, PrintConfigDoesNothingElse) {
  const auto printed =
      recloom({"train", toy(), "--model", "markov", "--print-config", "--epochs", "7"});
  EXPECT_EQ(printed.exit_code, 0);
  EXPECT_THAT(printed.out, HasSubstr("epochs = 7"));
  EXPECT_THAT(left(), ElementsAre("toy.inter"));
  const std::string file = folder.write("again.toml", printed.out);
  EXPECT_EQ(recloom({"train", "--config", file, "--print-config"}).out, printed.out);
}

TEST_F(Commands, RunsAreRepeatedFromTheirConfig) {
  train();
  EXPECT_EQ(recloom({"train", "--config", "run/config.toml", "--run-dir", "again"}).exit_code, 0);
  EXPECT_EQ(read_text(folder.path() / "run/model.safetensors"),
            read_text(folder.path() / "again/model.safetensors"));
}

TEST_F(Commands, ResumeOfAFinishedRunGivesTheSameModel) {
  train();
  const std::string before = read_text(folder.path() / "run/model.safetensors");
  EXPECT_EQ(recloom({"train", "--resume", "--run-dir", "run"}).exit_code, 0);
  EXPECT_EQ(read_text(folder.path() / "run/model.safetensors"), before);
}

TEST_F(Commands, FinalFitOnEverythingHasNoMetrics) {
  const Json report =
      json_of({"train", toy(), "--model", "pop", "--run-dir", "run", "--set", "split.mode=none"});
  EXPECT_THAT(report["valid"], IsEmpty());
  EXPECT_THAT(report["test"], IsEmpty());
  EXPECT_EQ(recloom({"recommend", "run", "--history", "i0"}).exit_code, 0);
}

TEST_F(Commands, EvaluateAgreesWithTraining) {
  const Json trained = train();
  const Json report = json_of({"evaluate", "run", toy()});
  EXPECT_EQ(report["test"]["ndcg@10"], trained["test"]["ndcg@10"]);
  EXPECT_EQ(report["protocol_hash"], trained["protocol_hash"]);
  EXPECT_EQ(report["same_data"], true);
  EXPECT_EQ(report["unknown_targets"], 0);
  EXPECT_EQ(json_of({"evaluate", "run", toy(), "--part", "valid"})["valid"]["hit@10"],
            trained["valid"]["hit@10"]);
}

TEST_F(Commands, EvaluateReadsTheLogAsItWasReadForTraining) {
  std::string text = toy_log();
  text.replace(0, text.find('\n'), "user_id,item_id,timestamp");
  std::ranges::replace(text, '\t', ',');
  const std::string log = folder.write("log.dat", text);
  folder.write("things.csv", "item_id,name\ni0,a\ni1,b\ni2,c\ni3,d\n");
  const Json trained = json_of({"train", log, "--model", "markov", "--run-dir", "run", "--set",
                                "data.format=csv", "--set", "data.item_file=things.csv"});
  const Json report = json_of({"evaluate", "run", log});
  EXPECT_EQ(report["same_data"], true);
  for (const char* key : {"hit@10", "ndcg@10", "mrr@20"})
    EXPECT_EQ(report["test"][key], trained["test"][key]) << key;
  fs::remove(folder.path() / "things.csv");
  const ProgramResult without = recloom({"evaluate", "run", log});
  EXPECT_EQ(without.exit_code, 0);
  EXPECT_THAT(without.err, HasSubstr("things.csv"));
  EXPECT_THAT(without.out, HasSubstr("other data than the model was trained on"));
}

TEST_F(Commands, EvaluateOnForeignDataPrintsWhatIsUnknown) {
  train();
  const std::string foreign = folder.write(
      "foreign.inter",
      "user_id:token\titem_id:token\ttimestamp:float\n"
      "n\ti1\t1\nn\twhat\t2\nn\ti2\t3\nn\ti3\t4\nm\ti1\t1\nm\ti2\t2\nm\ti3\t3\nm\twhere\t4\n");
  const Json report = json_of({"evaluate", "run", foreign});
  EXPECT_EQ(report["same_data"], false);
  EXPECT_EQ(report["unknown_history_items"], 1);
  EXPECT_EQ(report["unknown_targets"], 1);
  EXPECT_EQ(report["unknown_users"], 2);
  const auto text = recloom({"evaluate", "run", foreign});
  EXPECT_THAT(text.out, HasSubstr("1 unknown history items skipped, 1 unknown targets"));
}

TEST_F(Commands, RecommendShowsNames) {
  train();
  const auto text = recloom({"recommend", "run", "--history", "i0 i1", "-k", "2"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.out, HasSubstr("history: i0 Thing \"0\" | i1 Thing \"1\""));
  EXPECT_THAT(text.out, HasSubstr("Thing \"2\""));
  const Json list = json_of({"recommend", "run", "--history", "i0 i1", "-k", "2"});
  EXPECT_EQ(list["items"].size(), 2U);
  EXPECT_EQ(list["items"][0]["item"], "i2");
  EXPECT_EQ(list["items"][0]["name"], "Thing \"2\"");
}

TEST_F(Commands, RecommendWarnsOfUnknownItems) {
  train();
  const auto text = recloom({"recommend", "run/model.safetensors", "--history", "what i1"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.err, HasSubstr("what"));
  EXPECT_THAT(text.err, Not(HasSubstr("blanks")));
  const auto commas = recloom({"recommend", "run/model.safetensors", "--history", "i0,i1"});
  EXPECT_EQ(commas.exit_code, 3);
  EXPECT_THAT(commas.err, HasSubstr("(i0,i1); items are parted by blanks"));
}

TEST_F(Commands, RecommendWorksOnFiles) {
  train();
  folder.write("histories.tsv", "u1\ti0 i1\nstranger\ti2\n\ni3 i4\n");
  ASSERT_EQ(
      recloom({"recommend", "run", "--input", "histories.tsv", "--output", "top.tsv", "-k", "1"})
          .exit_code,
      0);
  std::istringstream lines(read_text(folder.path() / "top.tsv"));
  std::vector<std::string> starts;
  for (std::string line; std::getline(lines, line);)
    starts.push_back(line.substr(0, line.find('\t', line.find('\t') + 1)));
  EXPECT_THAT(starts, ElementsAre("user\titem", "u1\ti2", "stranger\ti3", "\ti5"));
  ASSERT_EQ(
      recloom({"recommend", "run", "--input", "histories.tsv", "--output", "top.jsonl"}).exit_code,
      0);
  EXPECT_EQ(lines_of(read_text(folder.path() / "top.jsonl")), 3);
}

TEST_F(Commands, RecommendTakesListsOfItems) {
  train();
  folder.write("sold-out.txt", "i2\ni3\n");
  const Json list = json_of(
      {"recommend", "run", "--history", "i1", "--block", "sold-out.txt", "--allow", "i2,i4,i5"});
  std::vector<std::string> items;
  for (const Json& item : list["items"]) items.push_back(item["item"]);
  EXPECT_THAT(items, ::testing::UnorderedElementsAre("i4", "i5"));
}

TEST_F(Commands, AListOfUnknownItemsBlocksNothingAndIsRefused) {
  train();
  for (const char* flag : {"--block", "--allow"}) {
    const ProgramResult result =
        recloom({"recommend", "run", "--history", "i1", flag, "sold-uot.txt"});
    EXPECT_EQ(result.exit_code, 3) << flag;
    EXPECT_THAT(result.err, HasSubstr("sold-uot.txt"));
    EXPECT_THAT(result.out, IsEmpty());
  }
}

TEST_F(Commands, RowsFileHoldsTokens) {
  train();
  ASSERT_EQ(recloom({"evaluate", "run", "toy.inter", "--rows", "rows.tsv"}).exit_code, 0);
  // User u0 walks i0..i5; the test target is the last.
  EXPECT_THAT(read_text(folder.path() / "rows.tsv"), HasSubstr("u0\ti5\t1\t"));
}

TEST_F(Commands, SideFilesBelongToTheLogThatWasTrainedOn) {
  folder.write("names.item", toy_names());
  json_of({"train", toy(), "--model", "markov", "--run-dir", "run", "--set",
           "data.item_file=names.item", "--set", "data.name_column=title"});
  fs::remove(folder.path() / "names.item");
  folder.write("other.inter", toy_log(5));
  const ProgramResult result = recloom({"evaluate", "run", "other.inter"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST_F(Commands, ReportSpellsOutTheProtocol) {
  train();
  const Json report = Json::parse(read_text(folder.path() / "run/report.json"));
  EXPECT_EQ(report["protocol"]["split"]["mode"], "leave_one_out");
  EXPECT_EQ(report["protocol"]["eval"]["candidates"], "full");
}

TEST_F(Commands, AMetricMayBeAPlugin) {
  const std::string fixtures =
      (binary_dir() / "tests/plugin/fixtures/recloom-good_metric.so").string();
  const Json report =
      json_of({"train", toy(), "--model", "markov", "--run-dir", "run", "--plugin-path", fixtures,
               "--set", "eval.metrics=[\"ndcg\", \"good_metric\"]"});
  EXPECT_EQ(report["test"]["ndcg@10"], 1.0);
  EXPECT_EQ(report["test"]["good_metric@10"], 2.0);  // twice the rank
}

TEST_F(Commands, ASamplerMayBeAPlugin) {
  const std::string fixtures =
      (binary_dir() / "tests/plugin/fixtures/recloom-good_sampler.so").string();
  const std::vector<std::string> bpr = {"train", toy(),   "--model",        "caser", "--epochs",
                                        "1",     "--set", "train.loss=BPR", "--set"};
  std::vector<std::string> good = bpr, wrong = bpr;
  good.insert(good.end(),
              {"train.sampler=good_sampler", "--plugin-path", fixtures, "--run-dir", "a"});
  wrong.insert(wrong.end(), {"train.sampler=unifrom", "--run-dir", "b"});
  const ProgramResult result = recloom(good);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const ProgramResult refused = recloom(wrong);
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("uniform"));
}

TEST_F(Commands, TrainsWithSampledLossesAndSparseUpdates) {
  const std::vector<std::string> base = {"train",    toy(),
                                         "--model",  "caser",
                                         "--epochs", "2",
                                         "--set",    "train.n_negatives=5",
                                         "--set",    "train.optimizer=sparse_adam",
                                         "--set",    "train.sampler=popularity"};
  for (const std::string loss : {"BPR", "BCE", "gBCE", "sampled_softmax"}) {
    SCOPED_TRACE(loss);
    std::vector<std::string> command = base;
    command.insert(command.end(), {"--set", "train.loss=" + loss, "--run-dir", loss});
    const Json report = json_of(command);
    EXPECT_GT(report["test"]["ndcg@10"], 0.0);
  }
  std::vector<std::string> decay = base, sampler = base;
  decay.insert(decay.end(),
               {"--set", "train.loss=BPR", "--set", "train.weight_decay=0.1", "--run-dir", "d"});
  const ProgramResult refused = recloom(decay);
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("sparse_adam (legal: 0)"));
  const std::string fixtures =
      (binary_dir() / "tests/plugin/fixtures/recloom-good_sampler.so").string();
  sampler.insert(sampler.end(),
                 {"--set", "train.loss=sampled_softmax", "--set", "train.sampler=good_sampler",
                  "--plugin-path", fixtures, "--run-dir", "e"});
  const ProgramResult unknown = recloom(sampler);
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("'good_sampler' does not tell"));
}

TEST_F(Commands, ComparePutsModelsSideBySide) {
  const auto text = recloom({"compare", toy(), "--models", "pop,markov", "--run-dir", "runs"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("ndcg@10"));
  EXPECT_THAT(text.out, HasSubstr("markov"));
  EXPECT_TRUE(fs::exists(folder.path() / "runs/markov/model.safetensors"));
  const Json again = json_of({"compare", toy(), "--models", "pop,markov", "--run-dir", "runs"});
  ASSERT_EQ(again["models"].size(), 2U);
  EXPECT_EQ(again["models"][1]["model"], "markov");
  const Json seeds =
      json_of({"compare", toy(), "--models", "pop", "--seeds", "2", "--run-dir", "runs"});
  EXPECT_EQ(seeds["models"][1]["seed"], 2);
  EXPECT_TRUE(fs::exists(folder.path() / "runs/pop-seed2/model.safetensors"));
}

TEST_F(Commands, SeedsReachToTheLargest) {
  const std::string largest = "18446744073709551615";
  const Json report =
      json_of({"train", toy(), "--model", "pop", "--seed", largest, "--run-dir", "run"});
  EXPECT_EQ(report["seed"].get<std::uint64_t>(), std::numeric_limits<std::uint64_t>::max());
  const std::string model = read_text(folder.path() / "run/model.safetensors");
  const ProgramResult resumed = recloom({"train", "--resume", "--run-dir", "run"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(read_text(folder.path() / "run/model.safetensors"), model);
  EXPECT_EQ(json_of({"evaluate", "run", toy()})["test"]["hit@10"], report["test"]["hit@10"]);
  EXPECT_EQ(recloom({"recommend", "run", "--history", "i0", "--seed", largest}).exit_code, 0);
  for (const char* seed : {"-1", "1e3", "18446744073709551616", "abc", ""})
    for (const char* command : {"train", "recommend"}) {
      const ProgramResult refused = recloom({command, toy(), "--seed", seed});
      EXPECT_EQ(refused.exit_code, 2) << seed;
      EXPECT_EQ(lines_of(refused.err), 1) << refused.err;
      EXPECT_THAT(refused.err, HasSubstr("--seed"));
    }
  const ProgramResult over = recloom({"compare", toy(), "--models", "pop", "--seeds", "3", "--seed",
                                      "18446744073709551614", "--run-dir", "runs"});
  EXPECT_EQ(over.exit_code, 2);
  EXPECT_EQ(lines_of(over.err), 1) << over.err;
  EXPECT_FALSE(fs::exists(folder.path() / "runs"));
  EXPECT_EQ(recloom({"compare", toy(), "--models", "pop", "--seeds", "2", "--seed",
                     "18446744073709551614", "--run-dir", "runs"})
                .exit_code,
            0);
  EXPECT_TRUE(fs::exists(folder.path() / "runs/pop-seed18446744073709551615"));
}

TEST_F(Commands, SettingsExplainsKeys) {
  const Json batching = json_of({"settings", "train.batching"});
  ASSERT_EQ(batching.size(), 1U);
  EXPECT_EQ(batching[0]["name"], "train.batching");
  EXPECT_EQ(batching[0]["default"], "rows");
  EXPECT_THAT(batching[0]["choices"], ElementsAre("rows", "chunks", "sequences"));
  std::set<std::string> tables;
  for (const Json& setting : json_of({"settings"})) {
    const auto key = setting["name"].get<std::string>();
    tables.insert(key.substr(0, key.find('.')));
    EXPECT_NE(setting["doc"], "") << key;
  }
  EXPECT_EQ(tables, (std::set<std::string>{"data", "eval", "split", "train"}));
  EXPECT_THAT(recloom({"settings", "eval"}).out, HasSubstr("eval.topk"));
  // Behind a command no word is a command.
  for (const Json& setting : json_of({"settings", "train"}))
    EXPECT_TRUE(setting["name"].get<std::string>().starts_with("train.")) << setting;
  EXPECT_THAT(recloom({"data", "stats", "train"}).err, HasSubstr("'train'"));
  EXPECT_THAT(recloom({"plugins", "describe", "list"}).err, HasSubstr("'list'"));
  const ProgramResult unknown = recloom({"settings", "trian"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("no key begins with 'trian'"));
}

TEST_F(Commands, PluginsAreListedAndDescribed) {
  const Json list = json_of({"plugins", "list"});
  std::vector<std::string> names;
  for (const Json& plugin : list) names.push_back(plugin["name"]);
  EXPECT_THAT(names, ::testing::IsSupersetOf({"markov", "pop"}));
  const Json markov = json_of({"plugins", "describe", "markov"});
  EXPECT_EQ(markov["parameters"][0]["name"], "smoothing");
  EXPECT_EQ(markov["parameters"][0]["default"], 1.0);
  EXPECT_THAT(recloom({"plugins", "describe", "markov"}).out, HasSubstr("model.params.smoothing"));
}

TEST_F(Commands, DataStatsCounts) {
  const Json stats = json_of({"data", "stats", toy()});
  EXPECT_EQ(stats["users"], 8);
  EXPECT_EQ(stats["rows"]["train"], 24);
  EXPECT_EQ(recloom({"data", "stats", toy()}).exit_code, 0);
}

TEST_F(Commands, ShippedSetHasItsDocumentedSize) {
  const Json stats = json_of({"data", "stats", "online-retail"});
  EXPECT_EQ(stats["users"], 4104);
  EXPECT_EQ(stats["items"], 3179);
  EXPECT_EQ(stats["interactions"], 384695);
}

TEST_F(Commands, DoctorIsWell) {
  const Json report = json_of({"doctor"});
  EXPECT_EQ(report["healthy"], true);
  EXPECT_FALSE(report["checks"].empty());
}

TEST_F(Commands, DoctorShowsItsTableAndNamesTheBrokenPlugin) {
  folder.write("plugins/recloom-novel.so", "Once upon a time\n");
  const ProgramResult ill = recloom({"doctor", "--plugin-path", folder.file("plugins")});
  EXPECT_EQ(ill.exit_code, 4);
  EXPECT_THAT(ill.out, HasSubstr("instruction set"));
  EXPECT_THAT(ill.err, HasSubstr("novel"));
  EXPECT_EQ(lines_of(ill.err), 1);
}

TEST_F(Commands, HelpAndVersion) {
  EXPECT_THAT(recloom({"--version"}).out, ::testing::StartsWith("recloom 0."));
  for (const char* command : {"train", "evaluate", "compare", "recommend", "export", "doctor"}) {
    const auto help = recloom({command, "--help"});
    EXPECT_EQ(help.exit_code, 0) << command;
    EXPECT_THAT(help.out, HasSubstr(std::string("  recloom ") + command)) << "an example";
  }
}

TEST_F(Commands, AClosedPipeIsNoError) {
  const ProgramResult result = run_program(
      {"/bin/sh", "-c", (binary_dir() / "bin/recloom").string() + " plugins list --json | true"},
      {}, folder.path().string());
  EXPECT_EQ(result.err, "");
}

TEST_F(Commands, AFullStandardOutputIs) {
  const ProgramResult result = run_program(
      {"/bin/sh", "-c", (binary_dir() / "bin/recloom").string() + " plugins list > /dev/full"});
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_EQ(lines_of(result.err), 1);
}

}  // namespace
}  // namespace recloom::testing
