#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/item_mix.hpp"
#include "support/machine_peak.hpp"

namespace recloom::benchmarks {
namespace {

/// Caser's vertical filters (nv 4, d 64) over a shard of 256 rows and 3,417 items. Argument: length
/// of a history.
struct Mix {
  static constexpr std::size_t kRows = 256, kItems = 3417, kFilters = 4, kColumns = 64;
  std::size_t length;
  std::vector<std::int32_t> slots;
  std::vector<std::size_t> row_slots;
  std::vector<float> vectors, weight, bias, y;
  explicit Mix(const ::benchmark::State& state)
      : length(static_cast<std::size_t>(state.range(0))),
        slots(kRows * length),
        row_slots(kRows),
        vectors(kItems * kColumns, 0.5F),
        weight(kFilters * length, 0.25F),
        bias(kFilters, 0.1F),
        y(kRows * kFilters * kColumns, 1e-3F) {
    for (std::size_t e = 0; e < slots.size(); ++e)
      slots[e] = static_cast<std::int32_t>(e * 2654435761U % kItems);
    for (std::size_t row = 0; row < kRows; ++row) row_slots[row] = row * length;
  }
  kernels::MixRows rows() const {
    return {kRows,    slots.data(), row_slots.data(), length,
            kFilters, kColumns,     vectors.data(),   weight.data()};
  }
  double flops() const { return 2.0 * kColumns * kFilters * static_cast<double>(slots.size()); }
};

void mix_forward(::benchmark::State& state) {
  Mix m(state);
  const Work work(state);
  for (auto _ : state) kernels::mix_forward(m.rows(), m.bias.data(), m.y.data());
  work.report_flops(m.flops());
}
BENCHMARK(mix_forward)->ArgName("L")->Arg(10)->Arg(50);

void mix_backward(::benchmark::State& state) {
  Mix m(state);
  std::vector<float> diff_vectors(m.vectors.size()), diff_weight(m.weight.size()),
      diff_bias(m.bias.size());
  const Work work(state);
  for (auto _ : state)
    kernels::mix_backward(m.rows(), m.y.data(), diff_vectors.data(), diff_weight.data(),
                          diff_bias.data());
  work.report_flops(2 * m.flops());
}
BENCHMARK(mix_backward)->ArgName("L")->Arg(10)->Arg(50);

}  // namespace
}  // namespace recloom::benchmarks
