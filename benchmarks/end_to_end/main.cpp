// Measures what the program `recloom` has no command for, step by step; benchmarks/run.py calls it
// and makes the table. One command, one line of JSON.
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>
#include <utility>

#include "end_to_end/commands.hpp"
#include "recloom/core/error.hpp"
#include "support/machine_peak.hpp"

namespace recloom::benchmarks {
namespace {

double seconds_of(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

constexpr std::pair<std::string_view, Json (*)(const Arguments&)> kCommands[] = {
    {"train", train}, {"read", read}, {"top-k", top_k},
    {"head", head},   {"peak", peak}, {"synthetic-log", synthetic_log},
};

int run(int argc, char** argv) {
  for (const auto& [name, command] : kCommands)
    if (argc > 1 && argv[1] == name) {
      const Arguments arguments(argc, argv, 2);
      std::puts(command(arguments).dump().c_str());
      return 0;
    }
  std::string names;
  for (const auto& [name, command] : kCommands) names += " " + std::string(name);
  throw ConfigError("usage: bench_end_to_end COMMAND [--NAME VALUE]...; commands:" + names);
}

}  // namespace

Arguments::Arguments(int argc, char** argv, int first) {
  for (int index = first; index < argc; index += 2) {
    const std::string name = argv[index];
    if (!name.starts_with("--") || index + 1 == argc)
      throw ConfigError("'" + name + "': expected --NAME VALUE");
    values_.emplace(name.substr(2), argv[index + 1]);
  }
}
std::string Arguments::text(const std::string& name, const std::string& otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? otherwise : found->second;
}
std::int64_t Arguments::number(const std::string& name, std::int64_t otherwise) const {
  const std::string value = text(name);
  return value.empty() ? otherwise : std::strtoll(value.c_str(), nullptr, 10);
}
std::vector<std::string> Arguments::all(const std::string& name) const {
  std::vector<std::string> values;
  const auto [begin, end] = values_.equal_range(name);
  for (auto each = begin; each != end; ++each) values.push_back(each->second);
  return values;
}

Stopwatch::Stopwatch()
    : wall_(seconds_of(CLOCK_MONOTONIC)), cpu_(seconds_of(CLOCK_PROCESS_CPUTIME_ID)) {}
double Stopwatch::wall() const { return seconds_of(CLOCK_MONOTONIC) - wall_; }
double Stopwatch::cpu() const { return seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_; }

Json peak(const Arguments& arguments) {
  const auto threads = static_cast<int>(arguments.number("threads", 1));
  return {{"threads", threads},
          {"flops", peak_flops(threads)},
          {"flops_one", peak_flops()},
          {"l1_bytes", peak_l1_bytes()},
          {"memory_bytes", peak_memory_bytes(threads)}};
}

}  // namespace recloom::benchmarks

int main(int argc, char** argv) {
  try {
    return recloom::benchmarks::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_end_to_end: %s\n", error.what());
    return 1;
  }
}
