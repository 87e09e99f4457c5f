#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/item_taps.hpp"
#include "support/machine_peak.hpp"

namespace recloom::benchmarks {
namespace {

/// Histories of 256 rows and filters of one height (nh 8) over 3,417 items, few of them frequent.
/// Arguments: length of a history, height.
struct Taps {
  static constexpr std::size_t kRows = 256, kItems = 3417, kLanes = kernels::kTapLanes;
  std::size_t length, height;
  std::vector<std::int32_t> slots;
  std::vector<float> taps, windows, best, where;
  explicit Taps(const ::benchmark::State& state)
      : length(static_cast<std::size_t>(state.range(0))),
        height(static_cast<std::size_t>(state.range(1))),
        slots(kRows * length),
        taps(kItems * kernels::kMostTaps * kLanes),
        windows(kRows * n_windows() * kLanes),
        best(kLanes),
        where(kLanes) {
    std::uint64_t random = 1;
    const auto next = [&random] {
      random = random * 6364136223846793005U + 1442695040888963407U;
      return static_cast<double>(random >> 11) * 0x1p-53;
    };
    for (std::int32_t& slot : slots) {
      const double u = next();
      slot = static_cast<std::int32_t>(u * u * kItems);
    }
    for (float& tap : taps) tap = static_cast<float>(next() - 0.5);
  }
  /// What tables of taps look like; here all of them are the same numbers.
  kernels::TapsShape table(std::size_t tap) const {
    return {std::min(kernels::kMostTaps, height - tap), kLanes};
  }
  std::size_t n_windows() const { return length - height + 1; }
  /// Bytes of so many windows' taps.
  double bytes(std::size_t n) const {
    return static_cast<double>(sizeof(float) * n * height * kLanes);
  }
};

// A vector of taps is read and added for each position of each window.
void add_taps(::benchmark::State& state) {
  Taps t(state);
  const Work work(state);
  for (auto _ : state)
    for (std::size_t tap = 0; tap < t.height; tap += kernels::kMostTaps)
      for (std::size_t row = 0; row < Taps::kRows; ++row)
        kernels::add_taps(t.table(tap), t.n_windows(), t.slots.data() + row * t.length + tap,
                          t.taps.data(), tap > 0,
                          t.windows.data() + row * t.n_windows() * Taps::kLanes);
  work.report_bytes(t.bytes(Taps::kRows * t.n_windows()));
}

void largest_windows(::benchmark::State& state) {
  Taps t(state);
  const Work work(state);
  for (auto _ : state)
    for (std::size_t row = 0; row < Taps::kRows; ++row)
      kernels::largest_windows(Taps::kLanes, t.n_windows(),
                               t.windows.data() + row * t.n_windows() * Taps::kLanes, t.best.data(),
                               t.where.data());
  work.report_bytes(static_cast<double>(sizeof(float) * t.windows.size()));
}

// One winning window a row: its taps' gradients are read and written.
void scatter_taps(::benchmark::State& state) {
  Taps t(state);
  std::vector<std::size_t> at(Taps::kRows);
  for (std::size_t row = 0; row < at.size(); ++row) at[row] = row * t.length + row % t.n_windows();
  const std::vector<float> diff(at.size() * Taps::kLanes, 1e-3F);
  const Work work(state);
  for (auto _ : state)
    for (std::size_t tap = 0; tap < t.height; tap += kernels::kMostTaps)
      kernels::scatter_taps(t.table(tap), at.size(), at.data(), diff.data(), t.slots.data() + tap,
                            t.taps.data());
  work.report_bytes(2 * t.bytes(at.size()));
}

void shapes(::benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"L", "height"})
      ->Args({10, 1})
      ->Args({10, 5})
      ->Args({50, 1})
      ->Args({50, 25})
      ->Args({50, 50});
}
BENCHMARK(add_taps)->Apply(shapes);
BENCHMARK(largest_windows)->ArgNames({"L", "height"})->Args({10, 5})->Args({50, 25});
BENCHMARK(scatter_taps)->Apply(shapes);

}  // namespace
}  // namespace recloom::benchmarks
