#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "nn/optim/optimizer.hpp"
#include "support/machine_peak.hpp"

namespace recloom::benchmarks {
namespace {

/// One step over n parameters; `streams` arrays are read or written per parameter.
void step(::benchmark::State& state, nn::OptimizerKind kind, int streams) {
  const auto n = static_cast<std::size_t>(state.range(0));
  std::vector<float> values(n, 0.5F);
  const std::vector<float> gradient(n, 1e-3F);
  nn::OptimizerOptions options;
  options.kind = kind;
  nn::Optimizer optimizer(options, {{"w", values, 64}});
  const Work work(state);
  for (auto _ : state) {
    optimizer.begin_step(1e-6);
    optimizer.update(0, 0, gradient, 1);
    ::benchmark::ClobberMemory();
  }
  work.report_bytes(static_cast<double>(sizeof(float)) * streams * static_cast<double>(n));
}

// The item table of ml-1m and a table that no cache holds, 64 floats a row.
constexpr std::int64_t kSmall = 3417 * 64, kLarge = 200000 * 64;

// Gradient read; parameter and state read and written.
BENCHMARK_CAPTURE(step, adam, nn::OptimizerKind::adam, 7)->Arg(kSmall)->Arg(kLarge);
BENCHMARK_CAPTURE(step, sgd, nn::OptimizerKind::sgd, 3)->Arg(kSmall)->Arg(kLarge);
BENCHMARK_CAPTURE(step, adagrad, nn::OptimizerKind::adagrad, 5)->Arg(kSmall)->Arg(kLarge);
BENCHMARK_CAPTURE(step, rmsprop, nn::OptimizerKind::rmsprop, 5)->Arg(kSmall)->Arg(kLarge);

}  // namespace
}  // namespace recloom::benchmarks
