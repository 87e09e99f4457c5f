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
