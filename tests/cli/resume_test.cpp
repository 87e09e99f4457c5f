// Runs that end early, and runs that go on: the same bytes whatever happened on the way.
#include <sched.h>
#include <signal.h>

#include "cli/program_test.hpp"

namespace recloom::testing {
namespace {

namespace fs = std::filesystem;

/// Trains a small caser: 400 people with 12 events, so that an epoch has several steps.
class Resume : public ProgramTest {
 protected:
  void SetUp() override { folder.write("toy.inter", toy_log(400, 30, 12)); }

  std::string batching = "rows";

  std::vector<std::string> training(const std::string& run_dir, const std::string& threads) const {
    return {(binary_dir() / "bin/recloom").string(),
            "train",
            "toy.inter",
            "--model",
            "caser",
            "--run-dir",
            run_dir,
            "--threads",
            threads,
            "--epochs",
            "25",
            "--set",
            "train.batch_size=256",
            "--set",
            "train.shard_rows=64",
            "--set",
            "train.patience=100",
            "--set",
            "train.batching=" + batching,
            "--set",
            "train.chunk_rows=5",
            "--set",
            "data.max_length=8"};
  }
  void train(const std::string& run_dir, const std::string& threads) {
    const ProgramResult result =
        run_program(training(run_dir, threads), {}, folder.path().string());
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }
  std::string bytes(const std::string& file) const { return read_text(folder.path() / file); }
  int epochs_done(const std::string& run_dir) const {
    return lines_of(bytes(run_dir + "/history.jsonl"));
  }
  /// Start a run, send it a signal when it is in its fourth epoch. @return its exit code.
  int interrupt(const std::string& run_dir, int signal) {
    RunningProgram program(training(run_dir, "2"), folder.path().string());
    while (program.runs() && epochs_done(run_dir) < 3) sched_yield();
    program.signal(signal);
    return program.wait();
  }
  void expect_equal_runs(const std::string& a, const std::string& b) {
    for (const char* file : {"/model.safetensors", "/checkpoint.safetensors", "/config.toml"})
      EXPECT_EQ(bytes(a + file), bytes(b + file)) << file;
    Json left = Json::parse(bytes(a + "/report.json")),
         right = Json::parse(bytes(b + "/report.json"));
    left.erase("timing");
    right.erase("timing");
    EXPECT_EQ(left, right);
  }
  void expect_same_after_a_kill() {
    train("whole", "2");
    train("single", "1");
    expect_equal_runs("whole", "single");
    EXPECT_EQ(interrupt("killed", SIGKILL), 128 + SIGKILL);
    ASSERT_LT(epochs_done("killed"), 25) << "the run ended before it was killed";
    EXPECT_FALSE(fs::exists(folder.path() / "killed/report.json"));
    const ProgramResult resumed = recloom({"train", "--resume", "--run-dir", "killed"});
    ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
    expect_equal_runs("whole", "killed");
    EXPECT_EQ(epochs_done("killed"), 25);
  }
};

TEST_F(Resume, AnyNumberOfThreadsGivesTheSameBytes) {
  train("one", "1");
  train("two", "2");
  train("four", "4");
  expect_equal_runs("one", "two");
  expect_equal_runs("one", "four");
}

TEST_F(Resume, AfterAKillInMidEpochTheRunIsTheSame) { expect_same_after_a_kill(); }
TEST_F(Resume, AfterAKillInMidEpochOfChunksTheRunIsTheSame) {
  batching = "chunks";
  expect_same_after_a_kill();
}

TEST_F(Resume, AfterAStopRequestTheRunIsTheSame) {
  train("whole", "1");
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string run_dir = "stopped" + std::to_string(signal);
    EXPECT_EQ(interrupt(run_dir, signal), 130);
    ASSERT_LT(epochs_done(run_dir), 25) << "the run ended before it was stopped";
    const ProgramResult resumed = recloom({"train", "--resume", "--run-dir", run_dir});
    ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
    expect_equal_runs("whole", run_dir);
  }
}

TEST_F(Resume, UntilThenTheBestModelSoFarIsThere) {
  EXPECT_EQ(interrupt("run", SIGINT), 130);
  EXPECT_FALSE(fs::exists(folder.path() / "run/report.json"));
  const ProgramResult list = recloom({"recommend", "run", "--history", "i1 i2 i3", "-k", "3"});
  EXPECT_EQ(list.exit_code, 0) << list.err;
}

TEST_F(Resume, WithFewerEpochsThanAreDoneTheRunIsFinished) {
  EXPECT_EQ(interrupt("run", SIGINT), 130);
  const ProgramResult ended =
      recloom({"train", "--resume", "--run-dir", "run", "--epochs", "1", "--json"});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_THAT(ended.err, ::testing::HasSubstr("epochs are done already: the run ends as it is"));
  const Json report = Json::parse(ended.out);
  EXPECT_GE(report["train"]["epochs"], 3);
  EXPECT_TRUE(report["test"]["ndcg@10"].is_number());
  EXPECT_TRUE(fs::exists(folder.path() / "run/report.json"));
}

TEST_F(Resume, AnotherConfigurationIsRefused) {
  EXPECT_EQ(interrupt("run", SIGINT), 130);
  const std::string config = bytes("run/config.toml"),
                    checkpoint = bytes("run/checkpoint.safetensors");
  const ProgramResult other =
      recloom({"train", "--resume", "--run-dir", "run", "--set", "train.learning_rate=0.5"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, ::testing::HasSubstr("train.learning_rate"));
  EXPECT_EQ(lines_of(other.err), 2);  // The first: how the log was read.
  EXPECT_EQ(bytes("run/config.toml"), config);
  EXPECT_EQ(bytes("run/checkpoint.safetensors"), checkpoint);
}

}  // namespace
}  // namespace recloom::testing
