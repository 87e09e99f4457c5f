// What the program does when the system interrupts it or refuses it something.
#include <sched.h>
#include <signal.h>

#include "cli/program_test.hpp"

namespace recloom::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Signals : public ProgramTest {
 protected:
  void SetUp() override { folder.write("toy.inter", toy_log(60, 20, 8)); }

  std::string program() const { return (binary_dir() / "bin/recloom").string(); }
  /// A training that goes on until it is stopped, or for some epochs.
  std::string training(int epochs = 100000) const {
    return program() +
           " train toy.inter --model caser --run-dir run --set train.eval_every=0"
           " --set data.max_length=4 --epochs " +
           std::to_string(epochs);
  }
  ProgramResult shell(const std::string& command) {
    return run_program({"sh", "-c", command}, {}, folder.path().string());
  }
  RunningProgram start(const std::string& command) const {
    return {{"sh", "-c", command + " 2>err >out"}, folder.path().string()};
  }
  void wait_for_an_epoch(RunningProgram& running) const {
    while (running.runs() && !fs::exists(folder.path() / "run/history.jsonl")) sched_yield();
  }
  std::string said() const { return read_text(folder.path() / "err"); }
};

TEST_F(Signals, AskARunToStop) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    RunningProgram running = start("exec " + training());
    wait_for_an_epoch(running);
    running.signal(signal);
    EXPECT_EQ(running.wait(), 130);
    EXPECT_THAT(said(),
                ::testing::EndsWith(
                    "\nrecloom: interrupted, the best model so far is kept; go on with: recloom "
                    "train --resume --run-dir run\n"));
    // Before it: how the log was read, and as many epochs as there was time for.
    std::istringstream lines(said());
    int others = 0;
    for (std::string line; std::getline(lines, line);)
      others += line.find(" epoch ") == std::string::npos;
    EXPECT_EQ(others, 2) << said();
    EXPECT_FALSE(fs::exists(folder.path() / "run/.lock"));
    fs::remove_all(folder.path() / "run");
  }
}

TEST_F(Signals, ThatComeTogetherAreOneRequest) {
  RunningProgram running = start("exec " + training());
  wait_for_an_epoch(running);
  running.signal(SIGSTOP);
  running.signal(SIGTERM);
  running.signal(SIGHUP);
  running.signal(SIGCONT);
  EXPECT_EQ(running.wait(), 130);
  EXPECT_THAT(said(), HasSubstr("--resume"));
}

TEST_F(Signals, OfALostTerminalAreIgnoredUnderNohup) {
  RunningProgram running = start("trap '' HUP; exec " + training(40));
  wait_for_an_epoch(running);
  running.signal(SIGHUP);
  EXPECT_EQ(running.wait(), 0) << said();
}

TEST_F(Signals, LeaveNothingOfAModelThatHasNoCheckpoint) {
  RunningProgram running =
      start("mkfifo pipe; exec " + program() + " train pipe --model pop --run-dir run");
  while (running.runs() && !fs::exists(folder.path() / "pipe")) sched_yield();
  running.signal(SIGTERM);
  EXPECT_NE(running.wait(), 0);
  EXPECT_FALSE(fs::exists(folder.path() / "run"));
}

TEST_F(Signals, OfAFileTooLargeBecomeAnError) {
  const ProgramResult result = shell("ulimit -f 8; exec " + training(3));
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_THAT(result.err, HasSubstr("run/checkpoint.safetensors: File too large"));
  EXPECT_EQ(lines_of(result.err), 2);
  EXPECT_FALSE(fs::exists(folder.path() / "run"));
}

TEST_F(Signals, AClosedLogChangesNothing) {
  ASSERT_EQ(shell(training(3)).exit_code, 0);
  const std::string model = read_text(folder.path() / "run/model.safetensors"),
                    checkpoint = read_text(folder.path() / "run/checkpoint.safetensors");
  fs::remove_all(folder.path() / "run");
  ASSERT_EQ(shell("exec " + training(3) + " 2>&-").exit_code, 0);
  EXPECT_EQ(read_text(folder.path() / "run/model.safetensors"), model);
  EXPECT_EQ(read_text(folder.path() / "run/checkpoint.safetensors"), checkpoint);
}

TEST_F(Signals, AClosedOutputIsAnError) {
  const ProgramResult result = shell("exec " + program() + " data stats toy.inter >&-");
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_THAT(result.err, HasSubstr("cannot write to standard output"));
}

TEST_F(Signals, ABadEnvironmentIsAnErrorOfEveryCommand) {
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"train", "toy.inter", "--model", "pop"}, {"settings"}, {"plugins", "list"}}) {
    const ProgramResult result = recloom(command, {"RECLOOM_ISA=avx1024"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, HasSubstr("RECLOOM_ISA is 'avx1024'"));
    EXPECT_EQ(lines_of(result.err), 1);
  }
}

TEST_F(Signals, ThreadsThatTheSystemRefusesAreAnError) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer itself needs all the addresses that the test takes away";
#endif
  const ProgramResult result =
      shell("ulimit -v 4000000; exec " + program() + " data stats toy.inter --threads 4096");
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_THAT(result.err, HasSubstr("of 4096 threads: lower --threads"));
  EXPECT_EQ(lines_of(result.err), 1);
}

}  // namespace
}  // namespace recloom::testing
