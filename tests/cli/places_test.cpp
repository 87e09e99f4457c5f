// Where the program writes: never over what it reads, and where nobody named a place it says so.
#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>

#include "cli/program_test.hpp"

namespace recloom::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Places : public ProgramTest {
 protected:
  void SetUp() override {
    toy();
    ASSERT_EQ(recloom({"train", "toy.inter", "--model", "markov", "--run-dir", "run"}).exit_code,
              0);
    fs::copy_file(folder.path() / "run/model.safetensors", folder.path() / "model.safetensors");
    folder.write("histories.tsv", "u1\ti1 i2\n");
    folder.write("items.txt", "i1\n");
  }
  /// The command is refused with one line that names the flag, and every file is as it was.
  void refuses(const std::vector<std::string>& arguments, const std::string& named) {
    const std::map<std::string, std::string> before = contents();
    const ProgramResult result = recloom(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr(named));
    EXPECT_EQ(lines_of(result.err), 1);
    EXPECT_EQ(contents(), before);
  }
  std::map<std::string, std::string> contents() const {
    std::map<std::string, std::string> all;
    for (const std::string& name : left())
      if (fs::is_regular_file(folder.path() / name)) all[name] = read_text(folder.path() / name);
    return all;
  }
};

TEST_F(Places, AnOutputDoesNotReplaceWhatIsRead) {
  const std::string replaced = "would replace what is read";
  refuses({"recommend", "model.safetensors", "--history", "i1", "--output", "./model.safetensors"},
          "--output ./model.safetensors: " + replaced);
  fs::create_symlink("histories.tsv", folder.path() / "link.tsv");
  refuses({"recommend", "run", "--input", "histories.tsv", "--output", "link.tsv"}, replaced);
  refuses({"recommend", "run", "--history", "i1", "--block", "items.txt", "--output", "items.txt"},
          replaced);
  refuses({"evaluate", "run", "toy.inter", "--rows", "toy.inter"}, "--rows toy.inter: " + replaced);
  refuses({"evaluate", "model.safetensors", "toy.inter", "--rows", "model.safetensors"}, replaced);
  refuses({"export", "model.safetensors", "--items", "model.safetensors"}, "--items");
}

TEST_F(Places, AnOutputDoesNotReplaceTheFilesBehindAName) {
  const std::string replaced = "would replace what is read";
  const std::string log = "user_id,item_id,timestamp\nu1,i1,1\nu1,i2,2\n";
  folder.write("lg/a.csv", log);
  folder.write("lg/b.csv", log);
  folder.write("set/dataset.toml", "file = \"log.csv\"\n[data]\nitem_file = \"items.csv\"\n");
  folder.write("set/log.csv", log);
  folder.write("set/items.csv", "item_id,title\ni1,One\n");
  folder.write("parts/parts.train.inter", toy_log());
  folder.write("parts/parts.test.inter", toy_log());
  fs::create_symlink("parts.test.inter", folder.path() / "parts/link.csv");
  const auto recommends = [&](const std::string& input, const std::string& output) {
    refuses({"recommend", "run", "--input", input, "--output", output}, replaced);
    refuses({"recommend", "run", "--user", "u1", "--log", input, "--output", output}, replaced);
    refuses({"export", "run", "--input", input, "--queries", output}, replaced);
    refuses({"export", "run", "--user", "u1", "--log", input, "--items", output}, replaced);
    refuses({"export", "run", "--log", input, "--user", "u1", "--item-tokens", output}, replaced);
  };
  recommends("lg/*.csv", "lg/a.csv");
  recommends("lg/a.csv", "lg/../lg/a.csv");
  recommends("set", "set/log.csv");
  recommends("set", "set/items.csv");
  recommends("parts", "parts/link.csv");
  refuses({"export", "run", "--input", "set", "--items", "set/dataset.toml"}, replaced);
  refuses({"recommend", "run", "--input", "lg/a.csv", "--set", "data.item_file=set/items.csv",
           "--output", "set/items.csv"},
          replaced);
}

TEST_F(Places, OutputsDoNotReplaceEachOther) {
  refuses({"export", "run", "--items", "q.npy", "--queries", "./q.npy", "--history", "i1"},
          "--queries ./q.npy: would replace what --items q.npy writes");
  refuses({"export", "run", "--items", "q.npy", "--item-tokens", "q.npy"}, "--item-tokens q.npy");
}

// Header and rows of a .npy file stand in one stream, too.
TEST_F(Places, VectorsGoIntoAPipe) {
  ASSERT_EQ(recloom({"train", "toy.inter", "--model", "caser", "--epochs", "1", "--run-dir", "net"})
                .exit_code,
            0);
  const std::vector<std::string> arguments = {"export", "net", "--input", "histories.tsv",
                                              "--queries"};
  const auto exported = [&](const std::string& file) {
    std::vector<std::string> all = arguments;
    all.push_back(file);
    return recloom(all);
  };
  ASSERT_EQ(exported("q.npy").exit_code, 0);
  const std::string written = read_text(folder.path() / "q.npy");
  const ProgramResult piped =
      run_program({"/bin/sh", "-c",
                   (binary_dir() / "bin/recloom").string() +
                       " export net --input histories.tsv --queries /dev/stdout | cat > piped.npy"},
                  {}, folder.path().string());
  EXPECT_EQ(piped.err, "");
  EXPECT_EQ(read_text(folder.path() / "piped.npy"), written);
  folder.write("histories.tsv", "");
  ASSERT_EQ(exported("q.npy").exit_code, 0);
  const std::string shape = "'shape': (1, ";
  const std::size_t at = written.find(shape);
  ASSERT_NE(at, std::string::npos);
  const std::string columns = written.substr(at + shape.size(), 4);
  EXPECT_THAT(read_text(folder.path() / "q.npy"), HasSubstr("'shape': (0, " + columns));
}

TEST_F(Places, AnOutputIsNoFileOfARun) {
  for (const char* file : {"run/model.safetensors", "run/config.toml", "run/report.json"}) {
    refuses({"recommend", "run", "--history", "i1", "--output", file}, "is a file of a run");
    refuses({"evaluate", "run", "toy.inter", "--rows", file}, "is a file of a run");
    refuses({"export", "run", "--item-tokens", file}, "is a file of a run");
  }
  EXPECT_EQ(recloom({"recommend", "run", "--history", "i1", "--output", "run/top10.tsv"}).exit_code,
            0);
}

TEST_F(Places, AFolderWithoutANameIsNone) {
  refuses({"train", "toy.inter", "--model", "pop", "--run-dir", ""}, "--run-dir");
  refuses({"compare", "toy.inter", "--models", "pop", "--run-dir", ""}, "--run-dir");
}

TEST_F(Places, AConfigurationOfSomebodyElseIsNotReplaced) {
  folder.write("mine/pop/config.toml", "title = \"mine\"\n");
  const ProgramResult result =
      recloom({"compare", "toy.inter", "--models", "pop", "--run-dir", "mine"});
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_THAT(result.err, HasSubstr("mine/pop: it is not empty and holds no run"));
  EXPECT_EQ(read_text(folder.path() / "mine/pop/config.toml"), "title = \"mine\"\n");
}

TEST_F(Places, ARunWithoutAModelSaysSo) {
  fs::remove(folder.path() / "run/model.safetensors");
  const ProgramResult result = recloom({"evaluate", "run", "toy.inter"});
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_THAT(result.err, HasSubstr("run folder run: holds no model"));
}

TEST_F(Places, TheWayOnIsOneThatAShellUnderstands) {
  for (const std::string name : {"my run's", "\x1b[31m\xe9\\"}) {
    RunningProgram running({"sh", "-c",
                            "exec \"$0\" train toy.inter --model caser --epochs 100000 --run-dir "
                            "\"$1\" 2>err >out",
                            (binary_dir() / "bin/recloom").string(), name},
                           folder.path().string());
    while (running.runs() && !fs::exists(folder.path() / name / "history.jsonl")) sched_yield();
    running.signal(SIGINT);
    ASSERT_EQ(running.wait(), 130);
    const std::string said = read_text(folder.path() / "err");
    const std::string mark = "--run-dir ";
    const std::string word = said.substr(said.find(mark) + mark.size());
    EXPECT_EQ(run_program({"bash", "-c", "printf %s " + word}).out, name) << said;
  }
}

}  // namespace
}  // namespace recloom::testing
