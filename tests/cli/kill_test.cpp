// Trainings that are interrupted anywhere, again and again: they end with the bytes of one that is
// left alone.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <iostream>

#include "cli/kill_harness.hpp"
#include "cli/program_test.hpp"

namespace recloom::testing {
namespace {

constexpr int kShares = 8, kPoints = 50;

long number(const char* name, long otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr && *text != '\0' ? std::strtol(text, nullptr, 10) : otherwise;
}

/// Points are dealt to trainings, trainings to the tests, which run side by side.
class Kill : public ::testing::TestWithParam<int> {
 protected:
  static void TearDownTestSuite() { std::cout << kill_tally().text(); }

  using Draw = Interruption (Baseline::*)(std::mt19937_64&, bool) const;

  void for_all_points(long count, Draw draw) {
    const std::vector<Training> trainings = all_trainings();
    const auto n_trainings = static_cast<long>(trainings.size());
    for (long index = GetParam(); index < n_trainings; index += kShares) {
      if (only >= 0 && only % n_trainings != index) continue;
      const Baseline baseline(trainings[static_cast<std::size_t>(index)]);
      if (only >= 0) interrupt_anywhere(baseline, only, draw);
      for (long point = index; only < 0 && point < count; point += n_trainings)
        interrupt_anywhere(baseline, point, draw);
    }
  }

  void interrupt_anywhere(const Baseline& baseline, long point, Draw draw) {
    std::seed_seq seeds{seed, point};
    std::mt19937_64 random(seeds);
    std::vector<Interruption> interruptions;
    for (const auto drawn = random(); interruptions.size() < 1 + drawn % 3;)
      interruptions.push_back((baseline.*draw)(random, !interruptions.empty()));
    std::string text = baseline.training().text();
    for (const Interruption& one : interruptions) text += ", " + one.text();
    SCOPED_TRACE(text + "; again: RECLOOM_KILL_SEED=" + std::to_string(seed) +
                 " RECLOOM_KILL_POINT=" + std::to_string(point) + " test_runs");
    InterruptedRun run(baseline);
    for (const Interruption& one : interruptions)
      if (!run.done() && !HasFatalFailure()) run.interrupt(one);
    run.finish(1 + static_cast<int>(random() % 2));
    ++kill_tally().points;
  }

  const long seed = number("RECLOOM_KILL_SEED", 1);
  const long points = number("RECLOOM_KILL_POINTS", kPoints);
  const long only = number("RECLOOM_KILL_POINT", -1);
};

TEST_P(Kill, LeavesWhatEndsWithTheSameBytes) { for_all_points(points, &Baseline::draw_signal); }

TEST_P(Kill, AFailingCallLosesNothing) { for_all_points(points / 2, &Baseline::draw_failure); }

INSTANTIATE_TEST_SUITE_P(Share, Kill, ::testing::Range(0, kShares));

/// The program in a folder of its own.
class Killed : public ProgramTest {
 protected:
  /// Kill a program before each of its calls on files of the folder. @param at_most How many.
  template <typename Afterwards>
  void kill_at_calls(std::vector<std::string> arguments, int at_most,
                     const Afterwards& afterwards) {
    arguments.insert(arguments.begin(), (binary_dir() / "bin/recloom").string());
    const auto run = [&](const std::string& call, const std::string& notes) {
      return run_program(arguments, counting_calls(folder.path(), call, notes), folder.path());
    };
    const TemporaryFolder notes;
    ASSERT_EQ(run("", notes.file("calls")).exit_code, 0);
    int calls = 0;
    std::istringstream lines(read_text(notes.file("calls")));
    for (std::string line; std::getline(lines, line);) calls += !line.starts_with("clock");
    for (int point = 0; point < std::min(calls, at_most); ++point) {
      const int call = 1 + point * calls / std::min(calls, at_most);
      SCOPED_TRACE("killed before call " + std::to_string(call) + " of " + std::to_string(calls));
      const std::string kill = "any:" + std::to_string(call) + ":before:" + std::to_string(SIGKILL);
      EXPECT_EQ(run(kill, "").exit_code, 128 + SIGKILL);
      afterwards();
    }
  }
};

/// In the middle of its second epoch.
Interruption killed_in_mid_epoch() {
  Interruption kill;
  kill.number = SIGKILL;
  kill.kind = "rename";
  kill.side = "after";
  kill.nth = 5;
  return kill;
}

TEST_F(Killed, GoesOnWithTheSameLogOnly) {
  const Baseline baseline(all_trainings().front());
  InterruptedRun run(baseline);
  run.interrupt(killed_in_mid_epoch());
  const Files left = files_of(run.run_dir());
  const std::string log = read_text(baseline.log());
  baseline.folder().write("toy.inter", log + "u0\ti1\t99999\n");
  const ProgramResult other = run.start(true, {});
  EXPECT_EQ(other.exit_code, 2) << other.err;
  EXPECT_NE(other.err.find("dataset hash"), std::string::npos) << other.err;
  EXPECT_EQ(difference(files_of(run.run_dir()), left), "");
  baseline.folder().write("toy.inter", log);
  run.finish(1);
}

TEST_F(Killed, AFileSizeLimitLosesNothing) {
  const Baseline baseline(all_trainings().front());
  for (const char* blocks : {"0", "8", "600", "1000"}) {
    SCOPED_TRACE(std::string("ulimit -f ") + blocks);
    InterruptedRun run(baseline);
    const ProgramResult result = run.start(
        false, {}, {"/bin/sh", "-c", std::string("ulimit -f ") + blocks + "; exec \"$0\" \"$@\""});
    EXPECT_EQ(result.exit_code, 6) << result.err;
    run.finish(1);
  }
}

TEST_F(Killed, WhatAFinishedRunHasLostComesBack) {
  const Baseline baseline(all_trainings().front());
  InterruptedRun run(baseline);
  run.finish(1);
  for (const auto& [name, bytes] : baseline.results()) {
    if (name == "config.toml") continue;
    SCOPED_TRACE(name);
    std::filesystem::remove(run.run_dir() / name);
    run.finish(1);
  }
}

TEST_F(Killed, AnOutputIsTheOldFileOrTheNewOne) {
  toy();
  folder.write("histories.tsv", "u1\ti1 i2\nu2\ti3\n");
  ASSERT_EQ(recloom({"train", "toy.inter", "--model", all_trainings().back().model, "--epochs", "1",
                     "--run-dir", "run"})
                .exit_code,
            0);
  const std::vector<std::string> command{"recommend",     "run",      "--input",
                                         "histories.tsv", "--output", "out.tsv"};
  ASSERT_EQ(recloom(command).exit_code, 0);
  const std::string recommended = read_text(folder.path() / "out.tsv");
  kill_at_calls(command, 100, [&] {
    const std::string text = read_text(folder.path() / "out.tsv");
    EXPECT_TRUE(text == "old" || text == recommended) << text;
    folder.write("out.tsv", "old");
  });
  ASSERT_EQ(recloom(command).exit_code, 0);
  for (const std::string& name : left()) EXPECT_FALSE(name.ends_with(".tmp")) << name << " is left";
}

TEST_F(Killed, AComparisonCanBeMadeAgain) {
  folder.write("toy.inter", toy_log(60, 30, 10));
  const std::vector<Training> trainings = all_trainings();
  const std::vector<std::string> command{
      "compare",  "toy.inter", "--models",  trainings.front().model + "," + trainings.back().model,
      "--epochs", "2",         "--run-dir", "runs"};
  const auto results = [&] {
    Files all;
    for (const Training& training : {trainings.front(), trainings.back()})
      for (const auto& [name, bytes] : results_of(folder.path() / "runs" / training.model))
        all[training.model + "/" + name] = bytes;
    return all;
  };
  ASSERT_EQ(recloom(command).exit_code, 0);
  const Files whole = results();
  kill_at_calls(command, static_cast<int>(number("RECLOOM_KILL_POINTS", 6)), [&] {
    const ProgramResult again = recloom(command);
    EXPECT_EQ(again.exit_code, 0) << again.err;
    EXPECT_EQ(difference(results(), whole), "");
  });
}

}  // namespace
}  // namespace recloom::testing
