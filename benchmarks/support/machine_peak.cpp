#include "support/machine_peak.hpp"

#include <time.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <thread>
#include <vector>

namespace recloom::benchmarks {
namespace {

constexpr int kRepeats = 1 << 16;
// Independent chains: enough to fill two pipes of latency four, few enough for sixteen registers.
constexpr std::size_t kChains = 12;

typedef float Vector4 __attribute__((vector_size(16)));
typedef float Vector8 __attribute__((vector_size(32)));
typedef float Vector16 __attribute__((vector_size(64)));

template <class Vector>
[[gnu::always_inline]] inline void multiply_add_chains(float* values) {
  Vector chains[kChains];
  for (Vector& chain : chains) chain = Vector{} + values[0];
  const Vector a = Vector{} + 0.5F, b = Vector{} + 1.0F;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
#pragma GCC unroll 12
    for (Vector& chain : chains) chain = chain * a + b;
  }
  for (const Vector& chain : chains) values[0] += chain[0];
}
[[gnu::target("avx512f,prefer-vector-width=512")]] void chains_avx512(float* values) {
  multiply_add_chains<Vector16>(values);
}
[[gnu::target("avx2,fma")]] void chains_avx2(float* values) {
  multiply_add_chains<Vector8>(values);
}
void chains_baseline(float* values) { multiply_add_chains<Vector4>(values); }

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

double measure_flops() {
  std::size_t lanes = 4;
  void (*chains)(float*) = chains_baseline;
  if (__builtin_cpu_supports("avx512f")) {
    lanes = 16, chains = chains_avx512;
  } else if (__builtin_cpu_supports("fma")) {
    lanes = 8, chains = chains_avx2;
  }
  float value = 1;
  const double seconds = best_seconds([&] {
    chains(&value);
    ::benchmark::DoNotOptimize(value);
  });
  return 2.0 * static_cast<double>(lanes * kChains) * kRepeats / seconds;
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
  static const double peak = measure_flops();
  return peak;
}

double peak_flops(int threads) { return sum_over_threads(threads, measure_flops); }

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
