#include "support/machine_peak.hpp"

#include <time.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <thread>
#include <vector>

#include "kernels/machine_peak.hpp"

namespace recloom::benchmarks {
namespace {

[[gnu::target_clones("avx512f", "arch=haswell", "default")]] void copy_scaled(std::size_t n,
                                                                              const float* x,
                                                                              float* y) {
  for (std::size_t element = 0; element < n; ++element) y[element] = 0.5F * x[element];
}

// Several chains of sums, so that the loop waits for memory and not for additions.
[[gnu::target_clones("avx512f", "arch=haswell", "default")]] float sum_of(std::size_t n,
                                                                          const float* x) {
  std::array<float, 64> sums{};
  for (std::size_t first = 0; first < n; first += sums.size())
    for (std::size_t lane = 0; lane < sums.size(); ++lane) sums[lane] += x[first + lane];
  return std::accumulate(sums.begin(), sums.end(), 0.0F);
}

double thread_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Seconds of the fastest of several calls: the machine may be busy with something else.
template <class F>
double best_seconds(F&& f) {
  double best = 1e9;
  for (int attempt = 0; attempt < 20; ++attempt) {
    const double begin = thread_seconds();
    f();
    best = std::min(best, thread_seconds() - begin);
  }
  return best;
}

double measure_memory() {
  const std::vector<float> values(std::size_t{1} << 25, 1.0F);  // 128 MiB
  const double seconds = best_seconds([&] {
    float total = sum_of(values.size(), values.data());
    ::benchmark::DoNotOptimize(total);
  });
  return static_cast<double>(sizeof(float) * values.size()) / seconds;
}

double sum_over_threads(int threads, double (*measure)()) {
  std::vector<double> rates(static_cast<std::size_t>(threads));
  std::vector<std::thread> others;
  for (double& rate : rates) others.emplace_back([&rate, measure] { rate = measure(); });
  for (std::thread& other : others) other.join();
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

}  // namespace

double peak_flops() {
  static const double peak = kernels::measure_peak_flops();
  return peak;
}

double peak_flops(int threads) { return sum_over_threads(threads, kernels::measure_peak_flops); }

double peak_memory_bytes(int threads) { return sum_over_threads(threads, measure_memory); }

double peak_l1_bytes() {
  static const double peak = [] {
    alignas(64) static std::array<float, 2048> x{}, y{};
    constexpr int kPasses = 4096;
    const double seconds = best_seconds([&] {
      for (int pass = 0; pass < kPasses; ++pass) {
        copy_scaled(x.size(), x.data(), y.data());
        ::benchmark::ClobberMemory();
      }
    });
    return 2.0 * sizeof(x) * kPasses / seconds;
  }();
  return peak;
}

Work::Work(::benchmark::State& state)
    : state_(state),
      peak_flops_(peak_flops()),
      peak_bytes_(peak_l1_bytes()),
      begin_(thread_seconds()) {}

void Work::report_flops(double per_iteration) const {
  report("FLOP/s", per_iteration, peak_flops_);
}

void Work::report_bytes(double per_iteration) const { report("B/s", per_iteration, peak_bytes_); }

void Work::report(const char* unit, double per_iteration, double peak) const {
  const double rate =
      per_iteration * static_cast<double>(state_.iterations()) / (thread_seconds() - begin_);
  state_.counters[unit] = rate;
  state_.counters["share"] = rate / peak;
}

}  // namespace recloom::benchmarks
