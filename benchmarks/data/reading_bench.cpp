// Reading a log from a file: text to columns of codes and times, and the whole way to a data set.
#include <benchmark/benchmark.h>
#include <time.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "data/load.hpp"
#include "recloom/data/dataset.hpp"
#include "support/machine_peak.hpp"

namespace recloom::benchmarks {
namespace {

constexpr std::size_t kFileBytes = std::size_t{96} << 20;

enum class Log {
  by_user,  ///< Numbers as tokens, a user's rows together: what most published logs look like.
  numbers,  ///< Numbers, users at random: a log as it is written.
  strings   ///< Tokens of 14 and 10 letters, users at random.
};

/// A number between 0 and n, small ones more often.
std::uint64_t skewed(std::mt19937_64& random, double n) {
  const double uniform = static_cast<double>(random() >> 11) * 0x1p-53;
  return static_cast<std::uint64_t>(n * uniform * uniform);
}

/// A token of capital letters that hides its number, as the ids of shops do.
std::string letters(std::uint64_t number, std::size_t size) {
  std::string token(size, 'A');
  for (char& c : token) {
    number = number * 6364136223846793005U + 1442695040888963407U;
    c = static_cast<char>('A' + (number >> 33) % 26);
  }
  return token;
}

std::string make_text(Log log) {
  constexpr double kUsers = 500000, kItems = 100000;
  std::mt19937_64 random(1);
  std::string text = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n";
  text.reserve(kFileBytes + 128);
  for (std::uint64_t row = 0; text.size() < kFileBytes; ++row) {
    const std::uint64_t user = log == Log::by_user ? row / 165 : skewed(random, kUsers);
    const std::uint64_t item = skewed(random, log == Log::by_user ? 3700 : kItems);
    const bool numbers = log != Log::strings;
    text += numbers ? std::to_string(user) : letters(user, 14);
    text += '\t' + (numbers ? std::to_string(item) : letters(item, 10)) + "\t4.0\t";
    text += std::to_string(1300000000 + row) + '\n';
  }
  return text;
}

/// A log of one kind in a temporary file, made at the first use.
class LogFile {
 public:
  explicit LogFile(Log log) {
    const std::string name =
        "recloom-bench-" + std::to_string(getpid()) + "-" + std::to_string(static_cast<int>(log));
    path_ = (std::filesystem::temp_directory_path() / (name + ".inter")).string();
    const std::string text = make_text(log);
    bytes_ = static_cast<double>(text.size());
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~LogFile() { std::remove(path_.c_str()); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  const std::string& path() const { return path_; }
  double bytes() const { return bytes_; }

 private:
  std::string path_;
  double bytes_ = 0;
};

const LogFile& log_file(Log log) {
  switch (log) {
    case Log::by_user: {
      static const LogFile file(log);
      return file;
    }
    case Log::numbers: {
      static const LogFile file(log);
      return file;
    }
    case Log::strings:
      break;
  }
  static const LogFile file(log);
  return file;
}

double process_seconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Report text bytes for each second of processor time, and their share of what a scan of memory
/// reaches on one core: a reader can at best look at every byte once.
template <class Read>
void measure(::benchmark::State& state, Log log, const Read& read) {
  const LogFile& file = log_file(log);
  RunContext run(1, static_cast<int>(state.range(0)));
  static const double scan = peak_memory_bytes(1);
  const double begin = process_seconds();
  for (auto _ : state) read(file.path(), run);
  const double bytes = file.bytes() * static_cast<double>(state.iterations());
  const double rate = bytes / (process_seconds() - begin);
  state.counters["MB/s/core"] = rate / 1e6;
  state.counters["of_scan"] = rate / scan;
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

void read_log(::benchmark::State& state, Log log) {
  measure(state, log, [](const std::string& path, RunContext& run) {
    ::benchmark::DoNotOptimize(load_log(path, {}, run).size());
  });
}
void open_dataset(::benchmark::State& state, Log log) {
  measure(state, log, [](const std::string& path, RunContext& run) {
    ::benchmark::DoNotOptimize(Dataset::open(path, {}, {}, run).n_interactions());
  });
}
BENCHMARK_CAPTURE(read_log, by_user, Log::by_user)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime();
BENCHMARK_CAPTURE(read_log, numbers, Log::numbers)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime();
BENCHMARK_CAPTURE(read_log, strings, Log::strings)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime();
BENCHMARK_CAPTURE(open_dataset, by_user, Log::by_user)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime();

}  // namespace
}  // namespace recloom::benchmarks
