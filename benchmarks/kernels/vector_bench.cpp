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

void exp(::benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<float> x(n, -0.5F);
  std::vector<float> y(n);
  const Work work(state);
  for (auto _ : state) {
    kernels::exp(n, x.data(), y.data());
    ::benchmark::ClobberMemory();
  }
  work.report_bytes(2.0 * sizeof(float) * static_cast<double>(n));
}
BENCHMARK(exp)->ArgName("n")->Arg(2048)->Arg(1 << 20);

// Source read, result written, and read where it is added to; the mask is computed, not stored.
void dropout(::benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const bool accumulate = state.range(1) != 0;
  const std::vector<float> x(n, 0.5F);
  std::vector<float> y(n);
  std::uint64_t row = 0;
  const Work work(state);
  for (auto _ : state) {
    kernels::dropout(1, row++, 0.4, n, x.data(), y.data(), accumulate);
    ::benchmark::ClobberMemory();
  }
  work.report_bytes((accumulate ? 3.0 : 2.0) * sizeof(float) * static_cast<double>(n));
}
BENCHMARK(dropout)
    ->ArgNames({"n", "add"})
    ->Args({336, 0})
    ->Args({336, 1})
    ->Args({656, 0})
    ->Args({3200, 0});

// Vectors of the histories of 256 rows (L 10), from the item table of ml-1m and from a table that
// no cache holds.
void gather_rows(::benchmark::State& state) {
  const auto n_items = static_cast<std::size_t>(state.range(0));
  constexpr std::size_t kColumns = 64, kCount = 2560;
  const std::vector<float> table(n_items * kColumns, 0.5F);
  std::vector<std::int32_t> ids(kCount);
  for (std::size_t e = 0; e < kCount; ++e)
    ids[e] = static_cast<std::int32_t>(e * 2654435761U % n_items);
  std::vector<float> out(kCount * kColumns);
  const Work work(state);
  for (auto _ : state) {
    kernels::gather_rows(kCount, kColumns, table.data(), ids.data(), out.data());
    ::benchmark::ClobberMemory();
  }
  work.report_bytes(2.0 * sizeof(float) * static_cast<double>(out.size()));
}
BENCHMARK(gather_rows)->ArgName("items")->Arg(3417)->Arg(1000000);

}  // namespace
}  // namespace recloom::benchmarks
