#include "cli/kill_harness.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/json.hpp"
#include "host/toy_log.hpp"

namespace recloom::testing {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kInterrupted = 130, kIo = 6;
constexpr const char* kLock = ".lock";  // One that a killed process leaves holds nothing.
// Reads and writes move so much at most: files are torn where a kill hits between two of them.
constexpr const char* kPiece = "16384";

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string program() { return (binary_dir() / "bin/recloom").string(); }

Json json_of(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), program());
  arguments.push_back("--json");
  const ProgramResult result = run_program(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return Json::parse(result.out);
}

std::string name_of(const Interruption& it) {
  return it.fails() ? strerrorname_np(it.number) : sigabbrev_np(it.number);
}

std::string last_line(const std::string& text) {
  std::istringstream in(text);
  std::string last;
  for (std::string line; std::getline(in, line);) last = line;
  return last;
}

std::string without_timing(const std::string& json) {
  Json object = Json::parse(json);
  object.erase("timing");
  return object.dump();
}

/// Tell whether the program has refused the command, rather than ended early.
bool refused(const ProgramResult& result) { return result.exit_code > 0 && result.exit_code < 128; }

}  // namespace

std::vector<std::string> counting_calls(const std::string& below, const std::string& call,
                                        const std::string& log) {
  std::vector<std::string> environment{"LD_PRELOAD=" RECLOOM_NTH_CALL, "NTH_CALL_BELOW=" + below,
                                       std::string("NTH_CALL_PIECE=") + kPiece};
  if (!call.empty()) environment.push_back("NTH_CALL=" + call);
  if (!log.empty()) environment.push_back("NTH_CALL_LOG=" + log);
  // AddressSanitizer wants to be the first library of all.
  const char* asan = std::getenv("ASAN_OPTIONS");
  environment.push_back(std::string("ASAN_OPTIONS=") + (asan != nullptr ? asan : "") +
                        ":verify_asan_link_order=0");
  return environment;
}

std::string Interruption::text() const {
  std::string where = kind.empty() ? "at " + std::to_string(moment) + " of the time"
                                   : side + " " + kind + " " + std::to_string(nth);
  if (again > 0) where += " and again after " + std::to_string(again) + " s";
  return name_of(*this) + " " + where + " (" + std::to_string(threads) + " threads)";
}

std::vector<std::string> Training::command(const std::string& log, int threads) const {
  return {program(),
          "train",
          log,
          "--model",
          model,
          "--run-dir",
          "run",
          "--threads",
          std::to_string(threads),
          "--epochs",
          "6",
          "--set",
          "train.batch_size=64",
          "--set",
          "train.shard_rows=32",
          "--set",
          "train.patience=1",
          "--set",
          "train.learning_rate=0.02",
          "--set",
          "train.loss=" + loss,
          "--set",
          "train.schedule=cosine",
          "--set",
          "train.warmup_steps=5",
          "--set",
          "train.batching=" + batching,
          "--set",
          "train.chunk_rows=3",
          "--set",
          "data.max_length=4",
          "--set",
          "eval.topk=[1,5]",
          "--set",
          "train.valid_metric=ndcg@5"};
}

std::vector<Training> all_trainings() {
  std::vector<Training> all;
  const Json setting = json_of({"settings", "train.batching"}).at(0);
  for (const Json& plugin : json_of({"plugins", "list"}))
    if (plugin.at("kind") == "model" && plugin.at("problem") == "")
      for (const Json& batching : setting.at("choices"))
        all.push_back({plugin.at("name"), batching, all.size() % 2 == 0 ? "CE" : "BPR"});
  return all;
}

Files files_of(const fs::path& folder) {
  Files files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.path().filename() != kLock)
      files[fs::relative(entry.path(), folder).string()] =
          entry.is_regular_file() ? read_text(entry.path()) : "";
  return files;
}

Files results_of(const fs::path& folder) {
  Files files = files_of(folder);
  if (files.contains("report.json")) files["report.json"] = without_timing(files["report.json"]);
  if (!files.contains("history.jsonl")) return files;
  std::istringstream lines(files["history.jsonl"]);
  std::string history;
  for (std::string line; std::getline(lines, line);) history += without_timing(line) + "\n";
  files["history.jsonl"] = history;
  return files;
}

std::string difference(const Files& a, const Files& b) {
  std::string names;
  for (const auto& [name, bytes] : a)
    if (!b.contains(name) || b.at(name) != bytes) names += name + " ";
  for (const auto& [name, bytes] : b)
    if (!a.contains(name)) names += name + " ";
  return names;
}

Baseline::Baseline(const Training& training) : training_(training) {
  folder_.write("toy.inter", toy_log(60, 30, 10));
  const fs::path whole = folder_.path() / "whole";
  fs::create_directory(whole);
  const TemporaryFolder notes;
  const auto environment = counting_calls(folder_.path(), "", notes.file("calls"));
  const auto train = [&] {
    return run_program(training_.command(log(), 1), environment, whole.string());
  };
  auto start = Clock::now();
  ProgramResult result = train();
  if (result.exit_code != 0 && result.err.find("train.batching") != std::string::npos) {
    training_.batching = "rows";
    fs::remove(notes.file("calls"));
    start = Clock::now();
    result = train();
  }
  seconds_ = seconds_since(start);
  EXPECT_EQ(result.exit_code, 0) << training_.text() << ": " << result.err;
  results_ = results_of(whole / "run");
  std::ifstream calls(notes.file("calls"));
  for (std::string kind, path; calls >> kind && std::getline(calls, path);) ++calls_[kind];
}

void Baseline::draw_call(std::mt19937_64& random, bool resumed, Interruption& into) const {
  const auto kind =
      std::next(calls_.begin(), static_cast<std::ptrdiff_t>(random() % calls_.size()));
  const long calls = resumed ? (kind->second + 1) / 2 : kind->second;
  into.kind = kind->first;
  into.nth = 1 + static_cast<long>(random() % static_cast<std::uint64_t>(calls));
}

Interruption Baseline::draw_signal(std::mt19937_64& random, bool resumed) const {
  static constexpr int kSignals[] = {SIGKILL, SIGKILL, SIGKILL, SIGINT, SIGTERM, SIGHUP};
  Interruption drawn;
  drawn.number = kSignals[random() % std::size(kSignals)];
  drawn.threads = 1 + static_cast<int>(random() % 2);
  if (random() % 4 == 0) {
    drawn.moment = static_cast<double>(random() % 1000) / 1000;
    if (random() % 4 == 0) drawn.again = static_cast<double>(1 + random() % 20) / 1000;
    return drawn;
  }
  drawn.side = random() % 2 == 0 ? "before" : "after";
  draw_call(random, resumed, drawn);
  return drawn;
}

Interruption Baseline::draw_failure(std::mt19937_64& random, bool resumed) const {
  static constexpr int kErrors[] = {ENOSPC, EIO, EACCES, EDQUOT};
  Interruption drawn;
  drawn.number = kErrors[random() % std::size(kErrors)];
  drawn.threads = 1 + static_cast<int>(random() % 2);
  drawn.side = "fail";
  do draw_call(random, resumed, drawn);
  while (drawn.kind == "clock");
  return drawn;
}

InterruptedRun::InterruptedRun(const Baseline& baseline)
    : baseline_(baseline), folder_(baseline.folder().path() / "interrupted") {
  fs::create_directory(folder_);
}
InterruptedRun::~InterruptedRun() { fs::remove_all(folder_); }

ProgramResult InterruptedRun::start(bool resume, const Interruption& interruption,
                                    const std::vector<std::string>& wrapper) {
  begun_ = true;
  std::vector<std::string> command =
      baseline_.training().command(baseline_.log(), interruption.threads);
  if (resume)
    command = {program(),
               "train",
               "--resume",
               "--run-dir",
               "run",
               "--threads",
               std::to_string(interruption.threads)};
  command.insert(command.begin(), wrapper.begin(), wrapper.end());
  std::string call;
  if (!interruption.kind.empty())
    call = interruption.kind + ":" + std::to_string(interruption.nth) + ":" + interruption.side +
           ":" + std::to_string(interruption.number);
  RunningProgram running(command, folder_, counting_calls(baseline_.folder().path(), call));
  if (interruption.number == 0 || !interruption.kind.empty()) return running.result();
  const auto sleep = [](double seconds) {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  };
  sleep(interruption.moment * baseline_.seconds());
  const auto sent = Clock::now();
  running.signal(interruption.number);
  if (interruption.again > 0) {
    sleep(interruption.again);
    if (running.runs()) running.signal(interruption.number);
  }
  ProgramResult result = running.result();
  kill_tally().slowest_stop = std::max(kill_tally().slowest_stop, seconds_since(sent));
  return result;
}

ProgramResult InterruptedRun::go_on(const Interruption& interruption) {
  if (!begun_) return start(false, interruption);
  const Files before = files_of(run_dir());
  ProgramResult result = start(true, interruption);
  if (!refused(result) || interruption.fails()) return result;
  // Nothing that could be resumed was left: then the folder must do for the same command.
  EXPECT_FALSE(promised_) << result.err;
  EXPECT_EQ(result.exit_code, kIo) << result.err;
  EXPECT_EQ(difference(files_of(run_dir()), before), "") << "changed by a refused resume";
  const std::string why = result.err;
  result = start(false, interruption);
  EXPECT_FALSE(refused(result)) << "stuck:\n" << why << result.err;
  return result;
}

void InterruptedRun::interrupt(const Interruption& interruption) {
  const Files before = files_of(run_dir());
  const ProgramResult result = go_on(interruption);
  done_ = result.exit_code == 0;
  EXPECT_TRUE(!done_ || fs::exists(run_dir() / "report.json"));
  if (interruption.fails())
    check_failure(result);
  else
    check_stop(result, interruption, before);
  const std::string where = interruption.kind.empty() ? "time" : interruption.kind;
  ++kill_tally().endings[name_of(interruption) + " " + where + ": " +
                         (done_ ? "done" : "ended with " + std::to_string(result.exit_code))];
}

void InterruptedRun::check_failure(const ProgramResult& result) {
  promised_ = false;
  if (done_) return;
  EXPECT_EQ(result.exit_code, kIo) << result.err;
  EXPECT_TRUE(last_line(result.err).starts_with("recloom: ")) << result.err;
  for (const auto& [name, bytes] : files_of(run_dir()))
    EXPECT_FALSE(name.ends_with(".tmp")) << name << " is left: " << result.err;
}

void InterruptedRun::check_stop(const ProgramResult& result, const Interruption& interruption,
                                const Files& before) {
  const std::string line = last_line(result.err);
  const bool reported = line.starts_with("recloom: interrupted");
  const bool killed = result.exit_code == 128 + interruption.number && !reported;
  promised_ = false;
  if (done_) return;
  if (interruption.number == SIGKILL) {
    EXPECT_TRUE(killed) << result.exit_code << ": " << result.err;
  } else if (killed && interruption.again > 0) {
    // The second one ends a program that takes its time.
  } else if (killed) {
    EXPECT_EQ(difference(files_of(run_dir()), before), "") << "changed, then killed by the signal";
  } else {
    EXPECT_EQ(result.exit_code, kInterrupted) << result.err;
    EXPECT_TRUE(reported) << result.err;
    promised_ = fs::exists(run_dir() / "checkpoint.safetensors");
    const bool told = line.find("recloom train --resume --run-dir run") != std::string::npos;
    const bool as_before = difference(files_of(run_dir()), before).empty();
    EXPECT_TRUE(told ? promised_ : !promised_ || as_before) << line;
  }
}

void InterruptedRun::finish(int threads) {
  Interruption none;
  none.threads = threads;
  if (!done_) {
    const ProgramResult result = go_on(none);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_FALSE(fs::exists(run_dir() / kLock));
  }
  EXPECT_EQ(difference(results_of(run_dir()), baseline_.results()), "") << "not as uninterrupted";
  const auto entries = fs::directory_iterator(folder_);
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1) << "beside the folder run";
}

std::string KillTally::text() const {
  std::ostringstream text;
  text << points << " points\n";
  for (const auto& [ending, count] : endings) text << "  " << ending << ", " << count << "\n";
  text << "  slowest end after a signal: " << slowest_stop << " s\n";
  return text.str();
}

KillTally& kill_tally() {
  static KillTally tally;
  return tally;
}

}  // namespace recloom::testing
