#pragma once
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "support/support.hpp"

/// Small trainings that are interrupted at points drawn from a seed.
namespace recloom::testing {

/// Environment in which the program's calls on files below a folder are counted by nth_call.cpp.
/// @param call its NTH_CALL; "": no call is touched. @param log its NTH_CALL_LOG; "": none.
std::vector<std::string> counting_calls(const std::string& below, const std::string& call,
                                        const std::string& log = "");

/// What happens to one process: a signal, or a system call that fails.
struct Interruption {
  int number = 0;     ///< Of the signal, or errno. 0: nothing happens.
  int threads = 1;    ///< Of the process.
  double moment = 0;  ///< Of the uninterrupted run's time, if no call is named.
  std::string kind;   ///< Of the call; "": none.
  std::string side;   ///< before, after, fail
  long nth = 0;       ///< Of the calls of this kind.
  double again = 0;   ///< Seconds from a signal at a moment to a second one; 0: none.

  bool fails() const { return side == "fail"; }
  std::string text() const;
};

struct Training {
  std::string model, batching, loss;

  std::string text() const { return model + " by " + batching + " with " + loss; }
  /// The command; leaves the folder `run` where it is called.
  std::vector<std::string> command(const std::string& log, int threads) const;
};
/// Every usable model with every batching, as the program names them. Not all fit.
std::vector<Training> all_trainings();

/// Names and bytes of the files in a folder.
using Files = std::map<std::string, std::string>;
Files files_of(const std::filesystem::path& folder);
/// The same without what is measured by the clock.
Files results_of(const std::filesystem::path& folder);
/// Names of the files that are not the same in both: "" if all are.
std::string difference(const Files& a, const Files& b);

/// A training that nothing interrupts, on a log of its own.
class Baseline {
 public:
  /// Train once on one thread. A batching that does not fit the model is replaced by rows.
  explicit Baseline(const Training& training);
  const Training& training() const { return training_; }
  const Files& results() const { return results_; }
  /// Where the log and all that interrupted runs leave is.
  const TemporaryFolder& folder() const { return folder_; }
  std::string log() const { return folder_.file("toy.inter"); }
  double seconds() const { return seconds_; }
  /// Draw where a process is ended. @param resumed It has less to do than the whole run.
  Interruption draw_signal(std::mt19937_64& random, bool resumed) const;
  /// Draw a call that fails.
  Interruption draw_failure(std::mt19937_64& random, bool resumed) const;

 private:
  Training training_;
  TemporaryFolder folder_;
  Files results_;
  double seconds_ = 0;
  void draw_call(std::mt19937_64& random, bool resumed, Interruption& into) const;

  std::map<std::string, long> calls_;  ///< By kind.
};

/// A training that is interrupted and goes on until it is done.
class InterruptedRun {
 public:
  explicit InterruptedRun(const Baseline& baseline);
  ~InterruptedRun();
  InterruptedRun(const InterruptedRun&) = delete;
  InterruptedRun& operator=(const InterruptedRun&) = delete;
  /// Begin or go on, to the interruption. Checks what the user sees and what is left.
  void interrupt(const Interruption& interruption);
  /// Go on to the end. Checks that the results are those of the uninterrupted run.
  void finish(int threads);
  std::filesystem::path run_dir() const { return folder_ / "run"; }
  bool done() const { return done_; }
  /// Start a process and wait for its end; no checks. @param wrapper Words before the command.
  ProgramResult start(bool resume, const Interruption& interruption,
                      const std::vector<std::string>& wrapper = {});

 private:
  ProgramResult go_on(const Interruption& interruption);
  void check_failure(const ProgramResult& result);
  void check_stop(const ProgramResult& result, const Interruption& interruption,
                  const Files& before);

  const Baseline& baseline_;
  std::filesystem::path folder_;
  bool begun_ = false, done_ = false, promised_ = false;
};

/// What was interrupted and how it ended, for the one who asks for many points.
struct KillTally {
  int points = 0;
  std::map<std::string, int> endings;  ///< "KILL write: killed" -> how often.
  double slowest_stop = 0;             ///< Seconds from a stop request to the end.
  std::string text() const;
};
KillTally& kill_tally();

}  // namespace recloom::testing
