#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/aligned.hpp"
#include "nn/graph/parameter_data.hpp"
#include "nn/step/softmax_head_run.hpp"
#include "support/machine_peak.hpp"
#include "support/memory.hpp"

namespace recloom::benchmarks {
namespace {

/// Softmax cross-entropy over all items, forward and backward (d 64): logits, gradient of the
/// queries and gradient of the items are three products, and what large catalogues compute twice is
/// counted once. `memory`: by how much the process's peak grew, in bytes.
void softmax_head(::benchmark::State& state) {
  const auto n_items = static_cast<int>(state.range(0));
  const auto n_rows = static_cast<std::size_t>(state.range(1));
  constexpr int kSize = 64;
  nn::Parameters parameters;
  const nn::Parameter table =
      parameters.add("items", {n_items, kSize}, nn::normal(0.1), nn::Trained::yes);
  parameters.initialise(1);
  AlignedFloats diff(table.values().size());
  RunContext run(1, 1);
  reset_peak_memory();
  const double before = peak_memory();
  nn::SoftmaxHeadRun head({.tables = {table}}, n_items, {diff.data()});
  head.begin(n_rows);
  std::vector<float> queries(head.queries().size());
  for (std::size_t e = 0; e < queries.size(); ++e)
    queries[e] = 0.1F * static_cast<float>(e % 13) - 0.6F;
  for (std::size_t row = 0; row < n_rows; ++row)
    head.targets()[row] = static_cast<std::int32_t>(row * 7919 % static_cast<std::size_t>(n_items));
  std::ranges::copy(queries, head.queries().begin());
  const Work work(state);
  for (auto _ : state) head.run(1.0F / static_cast<float>(n_rows), run);
  work.report_flops(6.0 * static_cast<double>(n_rows) * n_items * kSize);
  state.counters["memory"] = peak_memory() - before;
}
BENCHMARK(softmax_head)
    ->ArgNames({"items", "rows"})
    ->Args({3417, 2048})
    ->Args({65536, 512})
    ->Args({1000000, 512})
    ->Unit(::benchmark::kMillisecond);

}  // namespace
}  // namespace recloom::benchmarks
