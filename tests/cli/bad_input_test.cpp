// What a user gets for a mistake: one clear line, the right exit code, nothing left behind.
#include <sys/mount.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "cli/program_test.hpp"

namespace recloom::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr int kConfig = 2, kData = 3, kPlugin = 4, kIo = 6;
constexpr const char* kHeader = "user_id:token\titem_id:token\ttimestamp:float\n";

class BadInput : public ProgramTest {
 protected:
  /// Run, expecting failure: at most three lines, the program's name in front, what is wrong in it,
  /// and no file more or less than before.
  void refuses(std::vector<std::string> arguments, int exit_code,
               const std::vector<std::string>& named,
               const std::vector<std::string>& environment = {}) {
    const auto before = left();
    const ProgramResult result = recloom(std::move(arguments), environment);
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_LE(lines_of(result.err), 3) << result.err;
    EXPECT_THAT(result.err, HasSubstr("recloom: "));
    for (const std::string& text : named) EXPECT_THAT(result.err, HasSubstr(text));
    EXPECT_EQ(left(), before);
  }
  void refuses_log(const std::string& name, const std::string& content,
                   const std::vector<std::string>& named) {
    refuses({"train", folder.write(name, content), "--model", "pop"}, kData, named);
  }
};

TEST_F(BadInput, MisspeltKey) {
  refuses({"train", toy(), "--model", "pop", "--set", "train.epohcs=3"}, kConfig,
          {"--set", "train.epohcs", "did you mean 'train.epochs'"});
  const std::string file = folder.write("my.toml", "[trian]\nepochs = 3\n");
  refuses({"train", toy(), "--model", "pop", "--config", file}, kConfig,
          {"my.toml", "trian.epochs", "train.epochs"});
}

TEST_F(BadInput, MisspeltModel) {
  refuses({"train", toy(), "--model", "markvo"}, kPlugin, {"markvo", "did you mean 'markov'"});
}

TEST_F(BadInput, SequencesOfAModelThatLooksAhead) {
  refuses({"train", toy(), "--model", "caser", "--set", "train.batching=sequences"}, kConfig,
          {"train.batching", "model 'caser'", "op 'time_mix'", "rows, chunks"});
}

TEST_F(BadInput, MisspeltFlag) {
  refuses({"train", toy(), "--modle", "pop"}, kConfig, {"--modle", "did you mean '--model'"});
  refuses({"train", toy(), "--model=pop", "--epoch=3"}, kConfig, {"--epoch", "'--epochs'"});
  refuses({"recommend", "--histroy", "A"}, kConfig, {"'--history'"});
}

TEST_F(BadInput, MisspeltCommand) {
  refuses({"trian", toy()}, kConfig, {"trian", "did you mean 'train'"});
  refuses({"plugins", "lst"}, kConfig, {"lst", "did you mean 'list'"});
  refuses({}, kConfig, {"train", "evaluate", "--help"});
  refuses({"plugins"}, kConfig, {"list", "describe"});
}

TEST_F(BadInput, StrayArguments) {
  refuses({"plugins", "describe", "pop", "more"}, kConfig, {"more"});
  refuses({"train", toy(), "more", "--model", "pop"}, kIo, {"no data set 'more'"});
  refuses({"train", toy()}, kConfig, {"--model", "pop"});
  refuses({"train", "--model", "pop"}, kConfig, {"data set"});
  refuses({"train", toy(), "--model"}, kConfig, {"--model"});
  refuses({"compare", toy()}, kConfig, {"--models", "markov, pop"});
}

TEST_F(BadInput, FlagsOfTheWrongType) {
  refuses({"train", toy(), "--model", "pop", "--epochs", "many"}, kConfig, {"--epochs", "many"});
  refuses({"train", toy(), "--model", "pop", "--threads", "-3"}, kConfig, {"--threads", "-3"});
  refuses({"train", toy(), "--model", "pop", "--seed", "-3"}, kConfig, {"--seed", "-3"});
  refuses({"train", toy(), "--model", "pop", "--epochs", "0"}, kConfig, {"train.epochs = 0"});
}

TEST_F(BadInput, PluginThatIsATextFile) {
  folder.write("plugins/recloom-novel.so", "Once upon a time\n");
  refuses({"train", toy(), "--model", "novel", "--plugin-path", folder.file("plugins")}, kPlugin,
          {"novel", "recloom-novel.so"});
  const ProgramResult list = recloom({"plugins", "list", "--plugin-path", folder.file("plugins")});
  EXPECT_EQ(list.exit_code, 0);
  EXPECT_THAT(list.out, HasSubstr("broken"));
}

TEST_F(BadInput, MissingColumn) {
  refuses_log("log.inter", "user_id:token\tthing:token\ttimestamp:float\na\tx\t1\n",
              {"log.inter", "item_id"});
}

TEST_F(BadInput, TruncatedGzip) {
  const std::string whole =
      read_text(source_dir() / "datasets/online-retail/online-retail.inter.gz");
  for (const std::size_t length : {whole.size() / 2, std::size_t{12}, whole.size() - 4})
    refuses_log("log.inter.gz", whole.substr(0, length), {"log.inter.gz"});
}

TEST_F(BadInput, EmptyFile) { refuses_log("log.inter", "", {"log.inter"}); }

TEST_F(BadInput, HeaderOnly) { refuses_log("log.inter", kHeader, {"log.inter"}); }

TEST_F(BadInput, BinaryNoise) {
  std::string noise;
  std::uint64_t state = 1;
  for (int byte = 0; byte < 20000; ++byte) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    noise += static_cast<char>(state >> 56);
  }
  for (const char* name : {"log.inter", "log.csv", "log.txt", "log.inter.gz", "log.inter.zst"})
    refuses_log(name, noise, {name});
}

TEST_F(BadInput, OneUserWithOneEvent) {
  refuses_log("log.inter", std::string(kHeader) + "a\tx\t1\n", {"row"});
}

TEST_F(BadInput, OneUserWithManyEventsTrains) {
  const std::string log = folder.write("log.inter", toy_log(1, 6, 12));
  EXPECT_EQ(recloom({"train", log, "--model", "markov", "--run-dir", "run"}).exit_code, 0);
}

TEST_F(BadInput, TimeThatIsNoNumber) {
  refuses_log("log.inter", std::string(kHeader) + "a\tx\t1\na\ty\tnoon\n", {"log.inter:3", "noon"});
}

TEST_F(BadInput, MissingCell) {
  refuses_log("log.inter", std::string(kHeader) + "a\tx\t1\na\ty\n", {"log.inter:3"});
}

TEST_F(BadInput, ParameterOutOfRange) {
  refuses({"train", toy(), "--model", "markov", "--set", "model.params.smoothing=-1"}, kConfig,
          {"model.params.smoothing", "-1"});
  refuses({"train", toy(), "--model", "pop", "--set", "train.batch_size=0"}, kConfig,
          {"train.batch_size", "0"});
  refuses({"train", toy(), "--model", "pop", "--set", "train.learning_rate=-1"}, kConfig,
          {"train.learning_rate", "-1", "above 0"});
}

TEST_F(BadInput, ConfigOfTheWrongType) {
  const std::string file = folder.write("my.toml", "[train]\nepochs = \"many\"\n");
  refuses({"train", toy(), "--model", "pop", "--config", file}, kConfig,
          {"my.toml", "train.epochs", "many"});
  folder.write("my.toml", "train = 3\n");
  refuses({"train", toy(), "--model", "pop", "--config", file}, kConfig, {"my.toml", "train"});
  folder.write("my.toml", "[train\n");
  refuses({"train", toy(), "--model", "pop", "--config", file}, kConfig, {"my.toml"});
  refuses({"train", toy(), "--model", "pop", "--config", "nowhere.toml"}, kIo, {"nowhere.toml"});
}

TEST_F(BadInput, DataThatIsNotThere) {
  refuses({"train", "nowhere.inter", "--model", "pop"}, kIo, {"nowhere.inter"});
  refuses({"data", "stats", "online-retial"}, kIo, {"did you mean 'online-retail'"});
}

TEST_F(BadInput, RunFolderOfAnotherKind) {
  folder.write("photos/holiday.jpg", "...");
  refuses({"train", toy(), "--model", "pop", "--run-dir", "photos"}, kIo, {"photos"});
  ASSERT_EQ(recloom({"train", toy(), "--model", "pop", "--run-dir", "run"}).exit_code, 0);
  refuses({"train", toy(), "--model", "pop", "--run-dir", "run"}, kIo, {"run", "--resume"});
  refuses({"train", "--resume", "--run-dir", "nowhere"}, kIo, {"nowhere"});
}

/// A small file system of one's own, if this process may mount one.
class MountedFolder {
 public:
  explicit MountedFolder(const std::string& path, const char* size) : path_(path) {
    fs::create_directories(path);
    mounted_ = mount("tmpfs", path.c_str(), "tmpfs", 0, size) == 0;
  }
  ~MountedFolder() {
    if (mounted_) umount2(path_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  bool make_read_only() const {
    return mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) == 0;
  }

 private:
  std::string path_;
  bool mounted_ = false;
};

TEST_F(BadInput, FullDisk) {
  const MountedFolder small(folder.file("small"), "size=64k");
  if (!small.mounted()) GTEST_SKIP() << "cannot mount a tmpfs: " << std::strerror(errno);
  const std::string log = folder.write("log.inter", toy_log(2000, 1500, 3));
  const std::string run = folder.file("small/run");
  refuses({"train", log, "--model", "markov", "--run-dir", run}, kIo, {"small/run", "space"});
  EXPECT_TRUE(fs::is_empty(folder.path() / "small"));
}

TEST_F(BadInput, ReadOnlyMount) {
  const MountedFolder fixed(folder.file("fixed"), "size=64k");
  if (!fixed.mounted() || !fixed.make_read_only())
    GTEST_SKIP() << "cannot mount a tmpfs: " << std::strerror(errno);
  refuses({"train", toy(), "--model", "pop", "--run-dir", folder.file("fixed/run")}, kIo,
          {"fixed", "Read-only"});
}

TEST_F(BadInput, OutputThatCannotBeWritten) {
  ASSERT_EQ(recloom({"train", toy(), "--model", "pop", "--run-dir", "run"}).exit_code, 0);
  refuses({"recommend", "run", "--history", "i0", "--output", "nowhere/top.tsv"}, kIo,
          {"nowhere/top.tsv"});
}

class BadModelFile : public BadInput {
 protected:
  BadModelFile() {
    EXPECT_EQ(recloom({"train", toy(), "--model", "markov", "--run-dir", "run"}).exit_code, 0);
    bytes = read_text(folder.path() / "run/model.safetensors");
  }
  void refuses_model(const std::string& content) {
    const std::string file = folder.write("bad.safetensors", content);
    refuses({"recommend", file, "--history", "i0"}, kIo, {"bad.safetensors"});
    refuses({"evaluate", file, toy()}, kIo, {"bad.safetensors"});
  }
  std::string bytes;
};

TEST_F(BadModelFile, CutShort) {
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{5}, std::size_t{100}, bytes.size() / 2, bytes.size() - 1})
    refuses_model(bytes.substr(0, length));
}

TEST_F(BadModelFile, OneByteFlipped) {
  for (const std::size_t at : {std::size_t{2}, std::size_t{20}, bytes.find("epochs"),
                               bytes.find("data_offsets"), bytes.size() / 2, bytes.size() - 1}) {
    std::string changed = bytes;
    changed.at(at) = static_cast<char>(changed.at(at) ^ 1);
    refuses_model(changed);
  }
}

TEST_F(BadModelFile, NoModelFileAtAll) {
  refuses_model("This is a letter, not a model.\n");
  refuses({"recommend", "nowhere.safetensors", "--history", "i0"}, kIo, {"nowhere.safetensors"});
  fs::create_directory(folder.path() / "empty");
  refuses({"recommend", "empty", "--history", "i0"}, kIo, {"empty"});
}

TEST_F(BadModelFile, RefusedHistories) {
  refuses({"recommend", "run", "--history", "i0 what", "--unknown", "refuse"}, kData, {"what"});
  refuses({"recommend", "run"}, kConfig, {"--history"});
  refuses({"recommend", "run", "--history", "i0", "--output", "top.txt"}, kConfig,
          {"top.txt", ".csv", ".tsv", ".jsonl", ".zst"});
  refuses({"recommend", "run", "--history", "i0", "--seen", "maybe"}, kConfig, {"maybe"});
  refuses({"recommend", "run", "--history", "i0", "-k", "0"}, kConfig, {"k = 0"});
  refuses({"recommend", "run", "--input", "nowhere.tsv"}, kIo, {"nowhere.tsv"});
  refuses({"recommend", "run", "--history", "i0", "--allow", "x,y"}, kData, {"allow list"});
}

}  // namespace
}  // namespace recloom::testing
