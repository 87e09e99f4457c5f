// Files whose names or contents are not what anybody would write on purpose.
#include <sys/stat.h>

#include <filesystem>

#include "cli/program_test.hpp"

namespace recloom::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr int kConfig = 2, kIo = 6;

class HostileFiles : public ProgramTest {
 protected:
  /// Run, expecting failure: one line that names what is wrong.
  void refuses(std::vector<std::string> arguments, int exit_code, const std::string& named) {
    const ProgramResult result = recloom(std::move(arguments));
    EXPECT_EQ(result.exit_code, exit_code) << result.err.substr(0, 1000);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(lines_of(result.err), 1) << result.err.substr(0, 1000);
    EXPECT_LT(result.err.size(), 2000U);
    EXPECT_THAT(result.err, HasSubstr(named));
  }
  void succeeds(std::vector<std::string> arguments) {
    const ProgramResult result = recloom(std::move(arguments));
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }
  static std::string repeated(const std::string& part, int times) {
    std::string text;
    for (int n = 0; n < times; ++n) text += part;
    return text;
  }
  std::vector<std::string> train(std::vector<std::string> more) {
    std::vector<std::string> arguments{"train", toy(), "--model", "pop", "--run-dir", "run"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
};

TEST_F(HostileFiles, ConfigurationsThatAreNestedTooDeep) {
  const std::string dots = repeated("a.", 100000) + "b = 1";
  folder.write("dots.toml", dots);
  refuses(train({"--config", "dots.toml"}), kConfig, "dots.toml:1: a key has more than 16 parts");
  folder.write("set/dataset.toml", "file = \"log.inter\"\n" + dots);
  folder.write("set/log.inter", toy_log());
  refuses({"data", "stats", "set"}, kConfig, "dataset.toml:2: a key has more than 16 parts");
  refuses(train({"--set", "eval.topk=" + repeated("[", 50000)}), kConfig, "--set: eval.topk: ");
  refuses(train({"--set", repeated("a.", 50000) + "b=1"}), kConfig, "unknown key 'a.a.");
}

TEST_F(HostileFiles, NamesThatNobodyCanMean) {
  folder.write("key.toml", std::string(1000000, 'a') + " = 1");
  refuses(train({"--config", "key.toml"}), kConfig, "unknown key 'aaaa");
  folder.write("key.toml", std::string(2000000, 'a') + " = 1");
  refuses(train({"--config", "key.toml"}), kIo, "key.toml: it has more than 1048576 bytes");
  folder.write("bytes.toml", "[train]\nep\xffochs = 1\n");
  refuses(train({"--config", "bytes.toml"}), kConfig, "bytes.toml:2: '\\xff' is no UTF-8");
  refuses(train({"--set", "ep\x1b[2Jochs=1"}), kConfig, "ep\\x1b[2Jochs");
}

// Opening a pipe waits until somebody writes to it.
TEST_F(HostileFiles, PipesAndDevicesAreNotWaitedFor) {
  ASSERT_EQ(mkfifo(folder.file("pipe").c_str(), 0600), 0);
  for (const char* file : {"pipe", "/dev/zero"}) {
    refuses({"recommend", file, "--history", "i0"}, kIo, "no regular file");
    refuses(train({"--config", file}), kIo, "no regular file");
  }
  fs::create_directory(folder.path() / "run");
  ASSERT_EQ(mkfifo(folder.file("run/model.safetensors").c_str(), 0600), 0);
  refuses({"recommend", "run", "--history", "i0"}, kIo, "no regular file");
}

TEST_F(HostileFiles, OutputsOfAnyNameAndThroughLinks) {
  succeeds(train({}));
  const std::string longest = std::string(250, 'x') + ".tsv";
  succeeds({"recommend", "run", "--history", "i0", "--output", longest});
  EXPECT_TRUE(fs::exists(folder.path() / longest));
  folder.write("target.tsv", "old");
  fs::permissions(folder.path() / "target.tsv", fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("target.tsv", folder.path() / "link.tsv");
  succeeds({"recommend", "run", "--history", "i0", "--output", "link.tsv"});
  EXPECT_TRUE(fs::is_symlink(folder.path() / "link.tsv"));
  EXPECT_THAT(read_text(folder.path() / "target.tsv"), HasSubstr("user\titem"));
  EXPECT_EQ(fs::status(folder.path() / "target.tsv").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

// Names of files are bytes on Linux; JSON and TOML are UTF-8.
TEST_F(HostileFiles, NamesThatAreNoUtf8) {
  const std::string name = "caf\xe9";
  folder.write(name + ".inter", toy_log());
  folder.write("names-" + name + ".item", toy_names());
  const std::string run = name + "/run";
  const Json report =
      json_of({"train", name + ".inter", "--model", "gru4rec", "--epochs", "2", "--max-steps", "1",
               "--set", "data.item_file=names-" + name + ".item", "--run-dir", run});
  EXPECT_EQ(report["dataset"]["name"], "caf\\xE9");
  EXPECT_EQ(report["run_folder"], "caf\\xE9/run");
  const Json again = json_of({"train", "--resume", "--run-dir", run, "--set", "train.max_steps=0"});
  EXPECT_EQ(again["train"]["epochs"], 2);
  for (const char* file : {"model.safetensors", "report.json", "history.jsonl", "config.toml"})
    EXPECT_TRUE(fs::exists(folder.path() / run / file)) << file;
  EXPECT_EQ(Json::parse(read_text(folder.path() / run / "report.json"))["dataset"]["name"],
            "caf\\xE9");
  const Json list = json_of({"recommend", run, "--history", "i0 \xff", "-k", "1"});
  EXPECT_THAT(list["items"][0]["name"].get<std::string>(), HasSubstr("Thing"));
  EXPECT_EQ(list["unknown"][0], "\\xFF");
  // The escape means the same where a person writes it.
  folder.write("my.toml", "dataset = \"caf\\\\xE9.inter\"\n[model]\nname = \"pop\"\n");
  succeeds({"train", "--config", "my.toml", "--run-dir", "run"});
}

}  // namespace
}  // namespace recloom::testing
