#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/item_taps.hpp"
#include "support/machine_peak.hpp"

namespace recloom::benchmarks {
namespace {

/// A shard of 256 rows and filters of one height (nh 8) over 3,417 items, of which a small part is
/// frequent. Arguments: length of a history, height.
struct Taps {
  static constexpr std::size_t kRows = 256, kItems = 3417;
  kernels::TapsShape shape;
  std::vector<std::int32_t> slots;
  std::vector<float> taps, windows, best, where, diff;
  explicit Taps(const ::benchmark::State& state)
      : shape{static_cast<std::size_t>(state.range(0)), static_cast<std::size_t>(state.range(1)),
              kernels::kTapLanes},
        slots(kRows * shape.length),
        taps(kItems * shape.height * shape.lanes),
        windows(shape.length * shape.lanes),
        best(kRows * shape.lanes),
        where(kRows * shape.lanes),
        diff(shape.lanes, 1e-3F) {
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
  void forward() {
    for (std::size_t row = 0; row < kRows; ++row)
      kernels::taps_forward(shape, slots.data() + row * shape.length, taps.data(), windows.data(),
                            best.data() + row * shape.lanes, where.data() + row * shape.lanes);
  }
  /// Bytes of taps that are read: one vector for each position of each window.
  double bytes(std::size_t windows_of_row) const {
    return static_cast<double>(sizeof(float) * kRows * windows_of_row * shape.height * shape.lanes);
  }
};

void taps_forward(::benchmark::State& state) {
  Taps t(state);
  const Work work(state);
  for (auto _ : state) t.forward();
  work.report_bytes(t.bytes(t.shape.length - t.shape.height + 1));
}

// Gradients of the winning windows are read and written.
void taps_backward(::benchmark::State& state) {
  Taps t(state);
  t.forward();
  const Work work(state);
  for (auto _ : state)
    for (std::size_t row = 0; row < Taps::kRows; ++row)
      kernels::taps_backward(t.shape, t.shape.lanes, t.slots.data() + row * t.shape.length,
                             t.diff.data(), t.where.data() + row * t.shape.lanes, t.taps.data());
  work.report_bytes(2 * t.bytes(1));
}

BENCHMARK(taps_forward)
    ->ArgNames({"L", "height"})
    ->Args({10, 1})
    ->Args({10, 5})
    ->Args({10, 10})
    ->Args({50, 1})
    ->Args({50, 25})
    ->Args({50, 50});
BENCHMARK(taps_backward)->ArgNames({"L", "height"})->Args({10, 5})->Args({50, 25})->Args({50, 50});

}  // namespace
}  // namespace recloom::benchmarks
