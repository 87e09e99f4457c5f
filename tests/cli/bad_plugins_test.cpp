// Plugins that fail: the program says which and why on one line, goes on, and loses nothing.
#include <regex>

#include "cli/program_test.hpp"

namespace recloom::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

const fs::path kFixtures = RECLOOM_FIXTURE_DIR;

/// A folder with one plugin that works, and everything that is none.
class BadPlugins : public ProgramTest {
 protected:
  void SetUp() override {
    fs::create_directory(plugins());
    for (const char* name :
         {"good_model", "stripped", "wrong_magic", "wrong_size", "wrong_abi", "wrong_layout",
          "wrong_headers", "no_headers", "wrong_fingerprint", "other_sanitizer", "other_debug",
          "wrong_kind", "no_destroy", "no_symbol", "function_symbol", "unresolved"})
      copy(name, name);
    copy("good_model", "another_name");
    folder.write("plugins/recloom-text.so", "not a library\n");
    folder.write("plugins/recloom-empty.so", "");
    const std::string whole = read_text(kFixtures / "recloom-good_model.so");
    folder.write("plugins/recloom-truncated.so", whole.substr(0, whole.size() / 2));
    fs::create_directory(plugins() / "recloom-folder.so");
    fs::create_symlink("/nowhere", plugins() / "recloom-dangling.so");
    fs::create_directory(folder.path() / "behind");
    fs::copy_file(kFixtures / "recloom-good_model.so",
                  folder.path() / "behind/recloom-good_model.so");
  }
  fs::path plugins() const { return folder.path() / "plugins"; }
  void copy(const std::string& name, const std::string& as) {
    fs::copy_file(kFixtures / ("recloom-" + name + ".so"), plugins() / ("recloom-" + as + ".so"));
  }
};

TEST_F(BadPlugins, AreListedWithTheirReasons) {
  const Json list =
      json_of({"plugins", "list", "--plugin-path", "plugins", "--plugin-path", "behind"});
  std::map<std::string, std::string> problems;
  for (const Json& plugin : list) {
    const std::string problem = plugin["problem"];
    EXPECT_EQ(problem.find('\n'), std::string::npos) << problem;
    if (plugin["file"].get<std::string>().starts_with("plugins/"))
      problems[plugin["name"]] = problem;
    if (plugin["file"] == "behind/recloom-good_model.so") {
      EXPECT_EQ(problem, "is hidden by plugins/recloom-good_model.so");
    }
  }
  EXPECT_EQ(problems["good_model"], "");
  EXPECT_EQ(problems["stripped"], "");
  EXPECT_EQ(std::count_if(problems.begin(), problems.end(),
                          [](const auto& plugin) { return !plugin.second.empty(); }),
            20);
  EXPECT_EQ(problems["text"], "is no shared library");
  EXPECT_EQ(problems["empty"], "is empty");
  EXPECT_EQ(problems["truncated"], "is a library that was cut short");
  EXPECT_EQ(problems["folder"], "is a folder");
  EXPECT_EQ(problems["dangling"], "is a link to nothing");
  EXPECT_EQ(problems["another_name"],
            "calls itself 'good_model', so its file must be named recloom-good_model.so");
}

TEST_F(BadPlugins, ObeyNoTerminal) {
  folder.write("odd/recloom-\x1b[31mred\xff.so", "not a library");
  for (const char* command : {"list", "describe", "check"}) {
    std::vector<std::string> words = {"plugins", command};
    if (command != std::string("list")) words.push_back("\x1b[31mred\xff");
    words.insert(words.end(), {"--plugin-path", "odd"});
    const ProgramResult result = recloom(words);
    EXPECT_EQ((result.out + result.err).find('\x1b'), std::string::npos) << command;
    EXPECT_THAT(result.out + result.err, HasSubstr("\\x1b[31mred\\xff")) << command;
  }
}

TEST_F(BadPlugins, AreNamedWhereTheyAreAskedFor) {
  for (const auto& entry : fs::directory_iterator(plugins())) {
    const std::string name = entry.path().stem().string().substr(8);
    if (name == "good_model" || name == "stripped") continue;
    const ProgramResult result = recloom({"plugins", "describe", name, "--plugin-path", "plugins"});
    EXPECT_EQ(result.exit_code, 4) << name;
    EXPECT_EQ(lines_of(result.err), 1) << result.err;
    EXPECT_THAT(result.err, HasSubstr("plugin '" + name + "' cannot be used: plugins/recloom-"));
  }
}

TEST_F(BadPlugins, DoNotDisturbTheOthers) {
  const ProgramResult result = recloom(
      {"train", toy(), "--model", "markov", "--run-dir", "run", "--plugin-path", "plugins"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(recloom({"plugins", "describe", "good_model", "--plugin-path", "plugins"}).exit_code,
            0);
}

/// A network that fails in training.
class FailingNetwork : public ProgramTest {
 protected:
  ProgramResult train(const std::string& where, const std::string& after,
                      const std::string& threads = "2") {
    folder.write("toy.inter", toy_log(400, 30, 12));
    return recloom({"train",         "toy.inter",
                    "--model",       "failing_network",
                    "--plugin-path", kFixtures.string(),
                    "--run-dir",     "run",
                    "--threads",     threads,
                    "--epochs",      "5",
                    "--set",         "train.batch_size=256",
                    "--set",         "train.shard_rows=64",
                    "--set",         "model.params.where=" + where,
                    "--set",         "model.params.after=" + after});
  }
  bool keeps_a_run() const { return fs::exists(folder.path() / "run/checkpoint.safetensors"); }
};

TEST_F(FailingNetwork, IsNamedWhenItIsRecorded) {
  for (const auto& [where, reason] : std::map<std::string, std::string>{
           {"loss", "plugin 'failing_network': no loss today"},
           {"loss_int", "plugin 'failing_network': threw something that is no std::exception"}}) {
    const ProgramResult result = train(where, "0");
    EXPECT_EQ(result.exit_code, 4) << where;
    EXPECT_THAT(result.err, HasSubstr("recloom: " + reason));
    EXPECT_FALSE(keeps_a_run());
  }
  // Found when the model is made: scoring records the same op.
  const ProgramResult result = train("shape", "0");
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, HasSubstr("recloom: plugin 'failing_network' ("));
  EXPECT_THAT(result.err, HasSubstr(" failed in create: trap: wants [7], got another shape\n"));
}

TEST_F(FailingNetwork, IsNamedWithOpAndStep) {
  for (const auto& [where, reason] : std::map<std::string, std::string>{
           {"forward", "op 'mine': the trap has sprung"},
           {"forward_int", "op 'mine': threw something that is no std::exception"},
           {"backward", "op 'mine': the trap has sprung"},
           {"derive", "op 'derive.mine': derived nothing"}}) {
    fs::remove_all(folder.path() / "run");
    const ProgramResult result = train(where, "0");
    EXPECT_EQ(result.exit_code, 4) << where;
    EXPECT_THAT(
        result.err,
        HasSubstr("recloom: plugin 'failing_network': step 1 of epoch 1: " + reason + "; "));
  }
}

TEST_F(FailingNetwork, KeepsTheLastGoodCheckpoint) {
  // An epoch has 3,600 rows: 15 steps of four shards, so the 90th call is in the second epoch.
  for (const auto& [where, code, said] :
       {std::tuple("forward", 4, "op 'mine': the trap has sprung"),
        std::tuple("not_finite", 5, "op 'mine' \\[4\\] holds nan in row 0 of its shard")}) {
    fs::remove_all(folder.path() / "run");
    const ProgramResult result = train(where, "90", "1");
    EXPECT_EQ(result.exit_code, code) << where;
    const std::regex text("recloom: plugin 'failing_network': step [0-9]+ of epoch 2: " +
                          std::string(said) + ".*; .*run/checkpoint.safetensors.*epoch 2, step 0");
    EXPECT_TRUE(std::regex_search(result.err, text)) << result.err;
    EXPECT_TRUE(keeps_a_run());
    // The trap is in the op, not in what was kept: the run goes on until it springs again.
    const ProgramResult again =
        recloom({"train", "--resume", "--run-dir", "run", "--plugin-path", kFixtures.string()});
    EXPECT_EQ(again.exit_code, code);
    EXPECT_THAT(again.err, HasSubstr("of epoch 3"));
  }
}

}  // namespace
}  // namespace recloom::testing
