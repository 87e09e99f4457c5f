#include <benchmark/benchmark.h>

#include <cstddef>
#include <vector>

#include "kernels/conv.hpp"
#include "support/machine_peak.hpp"

namespace recloom::benchmarks {
namespace {

/// Operands of Caser's filters of one height over a shard of 256 rows (d 64, L 10, nh 8).
struct Filters {
  kernels::Conv1d shape;
  std::vector<float> src, weights, bias, dst;
  explicit Filters(int height)
      : shape{.rows = 256, .length = 10, .channels = 64, .filters = 8, .height = height},
        src(256 * 10 * 64, 0.5F),
        weights(static_cast<std::size_t>(8 * height * 64), 0.25F),
        bias(8, 0.1F),
        dst(static_cast<std::size_t>(256 * shape.positions() * 8), 0.5F) {}
  double flops() const { return 2.0 * 64 * shape.height * static_cast<double>(dst.size()); }
};

void conv1d(::benchmark::State& state) {
  Filters f(static_cast<int>(state.range(0)));
  const Work work(state);
  for (auto _ : state)
    kernels::conv1d(f.shape, f.src.data(), f.weights.data(), f.bias.data(), f.dst.data());
  work.report_flops(f.flops());
}
BENCHMARK(conv1d)->ArgName("height")->Arg(1)->Arg(5)->Arg(10);

void conv1d_backward(::benchmark::State& state) {
  Filters f(static_cast<int>(state.range(0)));
  std::vector<float> d_src(f.src.size()), d_weights(f.weights.size()), d_bias(f.bias.size());
  const Work work(state);
  for (auto _ : state) {
    kernels::conv1d_backward_data(f.shape, f.dst.data(), f.weights.data(), d_src.data());
    kernels::conv1d_backward_weights(f.shape, f.src.data(), f.dst.data(), d_weights.data(),
                                     d_bias.data());
  }
  work.report_flops(2 * f.flops());
}
BENCHMARK(conv1d_backward)->ArgName("height")->Arg(1)->Arg(5)->Arg(10);

}  // namespace
}  // namespace recloom::benchmarks
