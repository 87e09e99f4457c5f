// Several programs at work in one folder: each run is one program's alone, or is refused.
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <set>

#include "cli/kill_harness.hpp"
#include "cli/program_test.hpp"

namespace recloom::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kIo = 6;

int pairs(int otherwise) {
  const char* text = std::getenv("RECLOOM_PAIRS");
  return text != nullptr && *text != '\0' ? std::atoi(text) : otherwise;
}

class ParallelRuns : public ProgramTest {
 protected:
  void SetUp() override {
    log_ = folder.write("toy.inter", toy_log(60, 30, 10));
    for (const Training& training : all_trainings())
      if (models.empty() || models.back() != training.model) models.push_back(training.model);
    ASSERT_GE(models.size(), 2U);
    fs::create_directory(place());
  }

  /// Where the programs run; what happens elsewhere does not count as their calls.
  fs::path place() const { return folder.path() / "place"; }
  std::vector<std::string> command(const std::string& word, std::uint64_t seed,
                                   const std::vector<std::string>& more) const {
    std::vector<std::string> words{(binary_dir() / "bin/recloom").string(),
                                   word,
                                   log_,
                                   "--seed",
                                   std::to_string(seed),
                                   "--threads",
                                   "1",
                                   "--epochs",
                                   "2",
                                   "--set",
                                   "train.batch_size=128",
                                   "--set",
                                   "data.max_length=4"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::vector<std::string> training(std::uint64_t seed, const std::string& run_dir = "") const {
    std::vector<std::string> more{"--model", models[seed % models.size()]};
    if (!run_dir.empty()) more.insert(more.end(), {"--run-dir", run_dir});
    return command("train", seed, more);
  }
  std::vector<std::string> resumption(const std::string& run_dir) const {
    return {(binary_dir() / "bin/recloom").string(), "train", "--resume", "--run-dir", run_dir};
  }
  std::unique_ptr<RunningProgram> start(const std::vector<std::string>& arguments,
                                        const std::string& call = "") const {
    return std::make_unique<RunningProgram>(arguments, place(), counting_calls(place(), call));
  }
  /// What a training leaves that has the machine for itself.
  const Files& alone(std::uint64_t seed) {
    Files& files = alone_[seed];
    if (!files.empty()) return files;
    const TemporaryFolder apart;
    const ProgramResult result = run_program(training(seed, "run"), {}, apart.path());
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return files = results_of(apart.path() / "run");
  }
  /// How many calls a program makes on files of its folder.
  int calls_of(const std::vector<std::string>& arguments) {
    const TemporaryFolder apart;
    const ProgramResult result =
        run_program(arguments, counting_calls(apart.path(), "", log_ + ".calls"), apart.path());
    EXPECT_EQ(result.exit_code, 0) << result.err;
    std::istringstream lines(read_text(log_ + ".calls"));
    int count = 0;
    for (std::string line; std::getline(lines, line);) count += !line.starts_with("clock");
    fs::remove(log_ + ".calls");
    return count;
  }
  void expect_refused(const ProgramResult& result) {
    EXPECT_EQ(result.exit_code, kIo) << result.err;
    // Settings of a training that do nothing for a counter are said before, and how it reads its
    // log.
    std::istringstream lines(result.err);
    int errors = 0;
    for (std::string line; std::getline(lines, line);)
      errors += !line.starts_with("warning: --") && line.find(": read as ") == std::string::npos;
    EXPECT_EQ(errors, 1) << result.err;
    EXPECT_EQ(result.out, "");
  }
  /// Those who are refused are told by whom, as soon as it has said so.
  void expect_named(const ProgramResult& refused, const RunningProgram& holder) {
    const std::string process = "process " + std::to_string(holder.process()) + " ";
    if (read_text(place() / "run/.lock").find(process) == std::string::npos) return;
    EXPECT_THAT(refused.err, ::testing::HasSubstr("in use by " + process));
  }
  void expect_left(const std::string& run_dir, std::uint64_t seed) {
    EXPECT_EQ(difference(results_of(place() / run_dir), alone(seed)), "") << "seed " << seed;
  }
  void clear() {
    fs::remove_all(place());
    fs::create_directory(place());
  }
  /// Hold one program at each of so many of its calls, as evenly spread as they can be, while
  /// `meanwhile` happens; then let it go on to its end.
  template <typename Meanwhile, typename Afterwards>
  void hold(const std::vector<std::string>& arguments, int points, const Meanwhile& meanwhile,
            const Afterwards& afterwards) {
    const int calls = calls_of(arguments);
    for (int point = 0; point < std::min(points, calls); ++point) {
      const int call = 1 + static_cast<int>(std::int64_t{point} * calls / std::min(points, calls));
      for (const char* side : {"before", "after"}) {
        if ((call + (side[0] == 'a')) % 2 == 0 && points < calls) continue;
        SCOPED_TRACE(std::string("held ") + side + " call " + std::to_string(call));
        clear();
        const auto held = start(
            arguments, "any:" + std::to_string(call) + ":" + side + ":" + std::to_string(SIGSTOP));
        ASSERT_TRUE(held->wait_until_stopped()) << held->result().err;
        meanwhile(*held);
        held->signal(SIGCONT);
        afterwards(held->result());
        if (HasFailure()) return;
      }
    }
  }

  std::vector<std::string> models;

 private:
  std::string log_;
  std::map<std::uint64_t, Files> alone_;
};

TEST_F(ParallelRuns, UnnamedOnesHaveFoldersOfTheirOwn) {
  const int count = 16, rounds = std::max(1, 2 * pairs(0) / count);
  for (int round = 0; round < rounds; ++round) {
    clear();
    std::vector<std::unique_ptr<RunningProgram>> programs;
    // All are held where they make their folder, so that they meet there.
    for (int seed = 1; seed <= count; ++seed)
      programs.push_back(start(training(seed), "mkdir:1:before:" + std::to_string(SIGSTOP)));
    for (const auto& program : programs) program->wait_until_stopped();
    for (const auto& program : programs) program->signal(SIGCONT);
    std::set<std::string> folders;
    for (int seed = 1; seed <= count; ++seed) {
      const ProgramResult result = programs[static_cast<std::size_t>(seed - 1)]->result();
      if (result.exit_code != 0) {
        expect_refused(result);
        continue;
      }
      const auto begin = result.out.find("runs/"), end = result.out.find("/model.safetensors");
      ASSERT_LT(begin, end) << result.out;
      const std::string run_dir = result.out.substr(begin, end - begin);
      EXPECT_TRUE(folders.insert(run_dir).second) << run_dir << " is another run's too";
      expect_left(run_dir, static_cast<std::uint64_t>(seed));
    }
    EXPECT_FALSE(folders.empty());
    const auto entries = fs::directory_iterator(place() / "runs");
    EXPECT_EQ(static_cast<std::size_t>(std::distance(begin(entries), end(entries))),
              folders.size());
  }
}

TEST_F(ParallelRuns, OfTwoInOneFolderOneIsRefused) {
  for (int pair = 0; pair < pairs(8); ++pair) {
    SCOPED_TRACE("pair " + std::to_string(pair));
    clear();
    const std::uint64_t seeds[] = {1, 2};
    const auto first = start(training(seeds[pair % 2], "run")),
               second = start(training(seeds[1 - pair % 2], "run"));
    const ProgramResult a = first->result(), b = second->result();
    ASSERT_NE(a.exit_code == 0, b.exit_code == 0) << a.err << b.err;
    expect_refused(a.exit_code == 0 ? b : a);
    expect_left("run", a.exit_code == 0 ? seeds[pair % 2] : seeds[1 - pair % 2]);
  }
}

TEST_F(ParallelRuns, OneThatComesAtAnyMomentIsRefusedOrTheFirst) {
  bool taken = false;
  hold(
      training(1, "run"), pairs(12),
      [&](const RunningProgram& held) {
        const Files before = files_of(place());
        const ProgramResult result = start(training(2, "run"))->result();
        taken = result.exit_code == 0;
        if (taken) return expect_left("run", 2);
        expect_refused(result);
        EXPECT_EQ(difference(files_of(place()), before), "") << "changed by the refused run";
        expect_named(result, held);
      },
      [&](const ProgramResult& result) {
        if (taken)
          expect_refused(result);
        else
          EXPECT_EQ(result.exit_code, 0) << result.err;
        expect_left("run", taken ? 2 : 1);
      });
}

TEST_F(ParallelRuns, OneIsNotResumedWhileItIsAtWork) {
  hold(
      training(1, "run"), pairs(8),
      [&](const RunningProgram& held) {
        const Files before = files_of(place());
        const ProgramResult result = start(resumption("run"))->result();
        if (result.exit_code == 0 && before.contains("run/report.json")) return;
        expect_refused(result);
        EXPECT_EQ(difference(files_of(place()), before), "") << "changed by the refused run";
        // Who holds the folder is said once it is written down, config.toml or not.
        const auto lock = before.find("run/.lock");
        if (lock != before.end() && !lock->second.empty()) expect_named(result, held);
      },
      [&](const ProgramResult& result) {
        EXPECT_EQ(result.exit_code, 0) << result.err;
        expect_left("run", 1);
      });
}

TEST_F(ParallelRuns, AKilledHolderHoldsNothing) {
  const int calls = calls_of(training(1, "run"));
  for (const int call : {calls / 3, calls / 2}) {
    clear();
    const auto held = start(training(1, "run"),
                            "any:" + std::to_string(call) + ":after:" + std::to_string(SIGSTOP));
    ASSERT_TRUE(held->wait_until_stopped());
    expect_refused(start(resumption("run"))->result());
    held->signal(SIGKILL);
    held->wait();
    const ProgramResult resumed = start(resumption("run"))->result();
    EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
    expect_left("run", 1);
  }
}

TEST_F(ParallelRuns, ComparisonsInOneFolderLeaveWholeRuns) {
  const auto comparison = [&](std::uint64_t seed) {
    return command("compare", seed, {"--models", models[0] + "," + models[1], "--run-dir", "runs"});
  };
  Files whole[3];
  for (const std::uint64_t seed : {1, 2}) {
    clear();
    ASSERT_EQ(start(comparison(seed))->wait(), 0);
    for (const std::string& model : {models[0], models[1]})
      for (const auto& [name, bytes] : results_of(place() / "runs" / model))
        whole[seed][model + "/" + name] = bytes;
  }
  const auto expect_whole = [&] {
    for (const std::string& model : {models[0], models[1]}) {
      Files found, of_seed[3];
      for (const auto& [name, bytes] : results_of(place() / "runs" / model))
        found[model + "/" + name] = bytes;
      for (const int seed : {1, 2})
        for (const auto& [name, bytes] : whole[seed])
          if (name.starts_with(model + "/")) of_seed[seed][name] = bytes;
      EXPECT_TRUE(found == of_seed[1] || found == of_seed[2])
          << model << " is neither the one's nor the other's: " << difference(found, of_seed[1])
          << "/ " << difference(found, of_seed[2]);
    }
  };
  hold(
      comparison(1), pairs(8),
      [&](const RunningProgram&) {
        const ProgramResult result = start(comparison(2))->result();
        if (result.exit_code != 0) expect_refused(result);
      },
      [&](const ProgramResult& result) {
        if (result.exit_code != 0) expect_refused(result);
        expect_whole();
      });
}

}  // namespace
}  // namespace recloom::testing
