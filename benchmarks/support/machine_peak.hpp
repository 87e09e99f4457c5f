#pragma once
#include <benchmark/benchmark.h>

namespace recloom::benchmarks {

/// Single-precision multiply-adds in registers on one core, in FLOP/s. Measured once a process.
double peak_flops();
/// The same on several cores at once, summed. Measured at every call.
double peak_flops(int threads);
/// Reading and writing of a buffer that fits the first-level cache, on one core, in B/s.
double peak_l1_bytes();
/// Reading of buffers that no cache holds, on several cores at once, in B/s.
double peak_memory_bytes(int threads);

/// Measures the loop of a single-threaded benchmark in processor time, so that a busy machine
/// changes little: make it before the loop and report after it.
class Work {
 public:
  explicit Work(::benchmark::State& state);
  /// Report FLOP/s, and in `share` the part of the peak that was measured in this process.
  void report_flops(double per_iteration) const;
  /// Report B/s, and in `share` the part of the cache's peak.
  void report_bytes(double per_iteration) const;

 private:
  void report(const char* unit, double per_iteration, double peak) const;

  ::benchmark::State& state_;
  double peak_flops_, peak_bytes_;
  double begin_;
};

}  // namespace recloom::benchmarks
