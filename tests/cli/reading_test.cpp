// Logs that are too large, or no logs: what the program says, what it takes, what it keeps.
#include <fstream>

#include "cli/program_test.hpp"
#include "data/archives.hpp"

namespace recloom::testing {
namespace {

using ::testing::HasSubstr;

class Reading : public ProgramTest {
 protected:
  void refuses(const std::string& file, const std::string& text,
               const std::vector<std::string>& settings = {}) {
    std::vector<std::string> arguments = {"data", "stats", file};
    for (const std::string& setting : settings) {
      arguments.emplace_back("--set");
      arguments.push_back(setting);
    }
    const ProgramResult result = recloom(arguments);
    EXPECT_EQ(result.exit_code, 3) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(lines_of(result.err), 1) << result.err;
    EXPECT_THAT(result.err, HasSubstr(text));
  }
};

TEST_F(Reading, ATableWithoutHeader) {
  std::string table, tail = "\t3\t8812509";
  for (int row = 10; row < 60; ++row)
    table +=
        std::to_string(row % 7) + "\t" + std::to_string(row) + tail + std::to_string(row) + "\n";
  refuses(folder.write("u.data", table),
          "u.data:1: this looks like a table without a header line (lines of 4 cells, parted");
  const ProgramResult result =
      recloom({"data", "stats", folder.file("u.data"), "--set", "data.format=sequences", "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST_F(Reading, Limits) {
  refuses(toy(), "more than 20 rows up to here; data.max_events", {"data.max_events=20"});
  refuses(toy(), "data.max_text_gib sets another limit", {"data.max_text_gib=1e-8"});
}

TEST_F(Reading, LimitsChangeNoBytesAndNoRun) {
  const std::string log = toy();
  for (const std::string run : {"a", "b"}) {
    const ProgramResult result = recloom(
        {"train", log, "--model", "caser", "--run-dir", run, "--epochs", "1", "--set",
         "data.max_length=8", "--set", run == "a" ? "data.max_events=1000000" : "data.max_events=0",
         "--set", "data.max_text_gib=" + std::string(run == "a" ? "1" : "2")});
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }
  for (const std::string file : {"/model.safetensors", "/checkpoint.safetensors"})
    EXPECT_EQ(read_text(folder.file("a" + file)), read_text(folder.file("b" + file))) << file;
  const auto hash = [&](const std::string& run) {
    return Json::parse(read_text(folder.file(run + "/report.json")))["protocol_hash"];
  };
  EXPECT_EQ(hash("a"), hash("b"));
  EXPECT_EQ(recloom({"train", "--resume", "--run-dir", "a", "--epochs", "2", "--set",
                     "data.max_events=100000"})
                .exit_code,
            0);
}

TEST_F(Reading, SeveralFilesAndPatternsAreOneLog) {
  // The toy log in two halves, each with the header; names need not be UTF-8.
  const std::string log = toy(), text = toy_log();
  const std::size_t header = text.find('\n') + 1, half = text.find('\n', text.size() / 2) + 1;
  folder.write("caf\xE9-1.inter", text.substr(0, half));
  folder.write("caf\xE9-2.inter", text.substr(0, header) + text.substr(half));
  const std::string hash = json_of({"data", "stats", log})["hash"];
  EXPECT_EQ(json_of({"data", "stats", "caf*.inter"})["hash"], hash);
  EXPECT_EQ(json_of({"data", "stats", "caf\xE9-1.inter", "caf\xE9-2.inter"})["hash"], hash);
  EXPECT_EQ(recloom({"data", "stats", "cof*.inter"}).exit_code, 6);
  // A run notes each of them, and goes on with them from any folder.
  const std::vector<std::string> options = {"--model",           "caser",     "--set",
                                            "data.max_length=8", "--run-dir", "run"};
  std::vector<std::string> train = {"train", "caf\xE9-1.inter", "caf\xE9-2.inter", "--epochs", "1"};
  train.insert(train.end(), options.begin(), options.end());
  ASSERT_EQ(recloom(train).exit_code, 0);
  const ProgramResult resumed = recloom({"train", "--resume", "--run-dir", "run", "--epochs", "2"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(Json::parse(read_text(folder.file("run/report.json")))["dataset"]["hash"], hash);
  const Json evaluated = json_of({"evaluate", "run", "caf\xE9-1.inter", "caf\xE9-2.inter"});
  EXPECT_EQ(evaluated["same_data"], true);
}

TEST_F(Reading, StandardInputIsALog) {
  const std::string log = toy();
  const std::string program = "'" + (binary_dir() / "bin/recloom").string() + "'";
  const auto shell = [&](const std::string& command) {
    return run_program({"/bin/sh", "-c", command}, {}, folder.path().string());
  };
  const std::string hash = json_of({"data", "stats", log})["hash"];
  for (const std::string pipe : {"cat toy.inter | ", "gzip -c toy.inter | "}) {
    const ProgramResult result = shell(pipe + program + " data stats - --json");
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(Json::parse(result.out)["hash"], hash);
  }
  EXPECT_EQ(shell(program + " data stats - < toy.inter").exit_code, 0);
  const ProgramResult wrong =
      shell("printf 'a,b\\nc,d\\n' | " + program + " data stats - --set data.format=csv");
  EXPECT_THAT(wrong.err, HasSubstr("standard input:1: no column 'user_id'"));
  EXPECT_EQ(shell("cat toy.inter | " + program + " train - --model pop --run-dir run").exit_code,
            0);
  const ProgramResult resumed = recloom({"train", "--resume", "--run-dir", "run"});
  EXPECT_EQ(resumed.exit_code, 2);
  EXPECT_THAT(resumed.err, HasSubstr("standard input"));
  EXPECT_EQ(recloom({"compare", "-", "--models", "pop,markov"}).exit_code, 2);
}

TEST_F(Reading, PipesAreEvaluatedUnderAKCore) {
  folder.write("old.inter", toy_log(12, 6, 6));
  folder.write("new.inter", toy_log(5, 6, 3));
  ASSERT_EQ(recloom({"train", "old.inter", "--model", "markov", "--run-dir", "run", "--set",
                     "data.user_interval=[5,inf)"})
                .exit_code,
            0);
  const std::string program = "'" + (binary_dir() / "bin/recloom").string() + "'";
  for (const std::string log : {"old.inter", "new.inter"}) {
    const Json file = json_of({"evaluate", "run", log});
    for (const std::string& command :
         {"cat " + log + " | " + program + " evaluate run - --json",
          program + " evaluate run - --json < " + log,
          "gzip -c " + log + " | " + program + " evaluate run - --json",
          "mkfifo p; cat " + log + " > p & " + program + " evaluate run p --json; rm p"}) {
      const ProgramResult result =
          run_program({"/bin/sh", "-c", command}, {}, folder.path().string());
      ASSERT_EQ(result.exit_code, 0) << command << result.err;
      const Json piped = Json::parse(result.out, nullptr, false);
      EXPECT_EQ(piped["dataset"]["hash"], file["dataset"]["hash"]) << command;
      EXPECT_EQ(piped["test"]["rows"], file["test"]["rows"]) << command;
      EXPECT_EQ(result.err.find("would leave out") != std::string::npos, log == "new.inter")
          << result.err;
      EXPECT_EQ(result.err.find("-: is not"), std::string::npos) << result.err;
    }
  }
}

TEST_F(Reading, RowsLeftOutAreCountedWithTheFirstOne) {
  folder.write("log.csv", "user_id,item_id,timestamp\nu,a,1\nNA,b,2\nu,null,3\nu,c,4\n,d,5\n");
  const ProgramResult result = recloom({"data", "stats", "log.csv", "--json"});
  EXPECT_EQ(Json::parse(result.out)["interactions"], 2);
  EXPECT_THAT(result.err, HasSubstr("log.csv: 3 rows without user or item left out; the first is "
                                    "line 3, where 'user_id' is NA"));
  EXPECT_THAT(result.err, HasSubstr("--set data.raw_cells=true"));
  const Json raw = json_of({"data", "stats", "log.csv", "--set", "data.raw_cells=true"});
  EXPECT_EQ(raw["interactions"], 4);
}

TEST_F(Reading, RemediesOfErrorsWork) {
  // What a message tells to add is added, until the log is read.
  const auto mended = [&](const std::string& file, const std::string& text, int times) {
    folder.write(file, text);
    std::string command = "'" + (binary_dir() / "bin/recloom").string() + "' data stats " + file;
    for (;; --times) {
      const ProgramResult result =
          run_program({"/bin/sh", "-c", command + " --json"}, {}, folder.path().string());
      if (result.exit_code == 0) return Json::parse(result.out);
      const std::size_t at = result.err.find("--set ");
      if (times == 0 || at == std::string::npos) {
        ADD_FAILURE() << result.err;
        return Json();
      }
      std::string setting = result.err.substr(at);
      const bool quoted = setting[6] == '\'';
      setting =
          setting.substr(0, quoted ? setting.find('\'', 7) + 1 : setting.find_first_of(" ,;\n", 6));
      command += " " + setting;
    }
  };
  EXPECT_EQ(mended("log.csv", "User_ID,Item_ID,Timestamp\nu,a,1\nu,b,2\n", 3)["items"], 2);
  EXPECT_EQ(mended("auto.inter", "user_id:token item_id:token timestamp:float\nu 1 1\nu 2 2\n",
                   1)["items"],
            2);
  EXPECT_EQ(mended("one.csv", "user_id;item_id;timestamp\nu;1;1\nu;2;2\n", 0)["items"], 2);
}

TEST_F(Reading, LongLinesTakeTheMemoryOfAFew) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer reserves more memory than any limit";
#endif
  // Twelve lines of 60 MiB, in a file of 26 kB: 720 MiB if they were held at once.
  ZstdFrame frame(20);
  frame.add_text("user_id:token\titem_id:token\ttimestamp:float\tnote:token\n");
  for (int row = 0; row < 12; ++row) {
    frame.add_text("a\ti" + std::to_string(row) + "\t1\t");
    frame.add_run('n', std::size_t{60} << 20);
    frame.add_text("\n");
  }
  folder.write("log.inter.zst", frame.finish());
  const std::string program = (binary_dir() / "bin/recloom").string();
  const ProgramResult result = run_program(
      {"/bin/sh", "-c",
       "ulimit -v 700000; exec '" + program + "' data stats log.inter.zst --threads 1 --json"},
      {}, folder.path().string());
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("\"interactions\":12"));
}

}  // namespace
}  // namespace recloom::testing
