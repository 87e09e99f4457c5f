#include <benchmark/benchmark.h>

#include <cstddef>
#include <vector>

#include "kernels/vector.hpp"
#include "support/machine_peak.hpp"

namespace recloom::benchmarks {
namespace {

void axpy(::benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<float> x(n, 0.5F);
  std::vector<float> y(n);
  const Work work(state);
  for (auto _ : state) {
    kernels::axpy(n, 1e-6F, x.data(), y.data());
    ::benchmark::ClobberMemory();
  }
  work.report_bytes(3.0 * sizeof(float) * static_cast<double>(n));
}
BENCHMARK(axpy)->ArgName("n")->Arg(64)->Arg(2048)->Arg(1 << 20);

void dot(::benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<float> x(n, 0.5F), y(n, 0.25F);
  const Work work(state);
  for (auto _ : state) ::benchmark::DoNotOptimize(kernels::dot(n, x.data(), y.data()));
  work.report_bytes(2.0 * sizeof(float) * static_cast<double>(n));
}
BENCHMARK(dot)->ArgName("n")->Arg(64)->Arg(2048)->Arg(1 << 20);

void cross_entropy_row(::benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  std::vector<float> logits(n, 0.5F);
  const Work work(state);
  for (auto _ : state)
    ::benchmark::DoNotOptimize(kernels::cross_entropy_row(n, n / 2, 1e-3F, logits.data()));
  work.report_bytes(2.0 * sizeof(float) * static_cast<double>(n));
}
BENCHMARK(cross_entropy_row)->ArgName("n")->Arg(3424)->Arg(1 << 20);

}  // namespace
}  // namespace recloom::benchmarks
