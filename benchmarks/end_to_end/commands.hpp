#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/json.hpp"

namespace recloom::benchmarks {

/// `--name value` pairs, in any order; a name may come several times.
class Arguments {
 public:
  /// @throws ConfigError something that is no such pair.
  Arguments(int argc, char** argv, int first);
  std::string text(const std::string& name, const std::string& otherwise = "") const;
  std::int64_t number(const std::string& name, std::int64_t otherwise) const;
  std::vector<std::string> all(const std::string& name) const;

 private:
  std::multimap<std::string, std::string> values_;
};

/// Wall time, and processor time of all threads, since it was made.
class Stopwatch {
 public:
  Stopwatch();
  double wall() const;
  double cpu() const;

 private:
  double wall_, cpu_;
};

// Each measures one thing and returns what it found.

/// Caser's training steps one by one, then evaluations of the test part. --data FILE --threads N
/// --warmup N --steps N --evaluations N --set KEY=VALUE; --trace 1: where the steps' time goes.
Json train(const Arguments& arguments);
/// Reading, filtering and splitting a log. --data FILE --threads N --repeats N --set KEY=VALUE.
Json read(const Arguments& arguments);
/// The best k of a catalogue of random vectors. --items N --size D --rows N --k K --threads N
/// --repeats N.
Json top_k(const Arguments& arguments);
/// Softmax cross-entropy, forward and backward, over random vectors, and the memory that it needs.
/// --items N --size D --rows N --threads N.
Json head(const Arguments& arguments);
/// Writes a log of random events. --file FILE --bytes N --items N --users N.
Json synthetic_log(const Arguments& arguments);
/// What this machine can do. --threads N.
Json peak(const Arguments& arguments);

}  // namespace recloom::benchmarks
