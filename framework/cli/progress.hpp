#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "recloom/recloom.hpp"

namespace recloom::cli {

/// Return callbacks that show a run on standard error: a bar on a terminal, elsewhere a plain line
/// every ten seconds at most; and a line for each epoch.
/// @param title what is trained, at the start of every line.
TrainCallbacks progress_callbacks(const std::string& title, const std::string& valid_metric);

/// Shows how far a count has come in the same way: how many, how fast, how long it will take.
class CountProgress {
 public:
  explicit CountProgress(std::string things) : things_(std::move(things)) {}
  /// @param share of the work that is done, 0 to 1; negative: unknown.
  void show(std::int64_t done, double share);

 private:
  using Clock = std::chrono::steady_clock;
  std::string things_;
  Clock::time_point begin_ = Clock::now(), last_ = begin_;
};

/// Return seconds as "42 s", "3 min 20 s" or "2 h 05 min".
std::string duration(double seconds);

}  // namespace recloom::cli
