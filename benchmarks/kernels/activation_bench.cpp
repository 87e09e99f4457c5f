#include <benchmark/benchmark.h>

#include <cstddef>
#include <vector>

#include "kernels/activations.hpp"
#include "kernels/layer_norm.hpp"
#include "support/machine_peak.hpp"

namespace recloom::benchmarks {
namespace {

// Arguments of both signs, of the size that layers have them.
std::vector<float> arguments(std::size_t n) {
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<float>(i % 64) * 0.0625F - 2.0F;
  return x;
}

template <auto kFunction>
void activation(::benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<float> x = arguments(n);
  std::vector<float> y(n);
  const Work work(state);
  for (auto _ : state) {
    kFunction(n, x.data(), y.data());
    ::benchmark::ClobberMemory();
  }
  work.report_bytes(2.0 * sizeof(float) * static_cast<double>(n));
}
BENCHMARK(activation<kernels::gelu>)->Name("gelu")->ArgName("n")->Arg(2048)->Arg(1 << 20);
BENCHMARK(activation<kernels::swish>)->Name("swish")->ArgName("n")->Arg(2048);

template <auto kFunction>
void activation_backward(::benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<float> x = arguments(n), dy(n, 1e-6F);
  std::vector<float> dx(n);
  const Work work(state);
  for (auto _ : state) {
    kFunction(n, x.data(), dy.data(), dx.data(), true);
    ::benchmark::ClobberMemory();
  }
  work.report_bytes(4.0 * sizeof(float) * static_cast<double>(n));
}
BENCHMARK(activation_backward<kernels::gelu_backward>)
    ->Name("gelu_backward")
    ->ArgName("n")
    ->Arg(2048)
    ->Arg(1 << 20);
BENCHMARK(activation_backward<kernels::swish_backward>)
    ->Name("swish_backward")
    ->ArgName("n")
    ->Arg(2048);

// One row's positions of a small transformer, and 256 rows of them.
void layer_norm(::benchmark::State& state) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const auto columns = static_cast<std::size_t>(state.range(1));
  const std::vector<float> x = arguments(rows * columns), gain(columns, 1.5F), bias(columns, 0.5F);
  std::vector<float> y(rows * columns), moments(2 * rows);
  const Work work(state);
  for (auto _ : state) {
    kernels::layer_norm(rows, columns, x.data(), gain.data(), bias.data(), 1e-12, y.data(),
                        moments.data());
    ::benchmark::ClobberMemory();
  }
  work.report_bytes(2.0 * sizeof(float) * static_cast<double>(rows * columns));
}
BENCHMARK(layer_norm)->ArgNames({"rows", "n"})->Args({50, 64})->Args({12800, 64});

void layer_norm_backward(::benchmark::State& state) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const auto columns = static_cast<std::size_t>(state.range(1));
  const std::vector<float> x = arguments(rows * columns), gain(columns, 1.5F), bias(columns, 0.5F);
  const std::vector<float> dy(rows * columns, 1e-6F);
  std::vector<float> y(rows * columns), moments(2 * rows), dx(rows * columns), dgain(columns),
      dbias(columns);
  kernels::layer_norm(rows, columns, x.data(), gain.data(), bias.data(), 1e-12, y.data(),
                      moments.data());
  const Work work(state);
  for (auto _ : state) {
    kernels::layer_norm_backward(rows, columns, x.data(), gain.data(), moments.data(), dy.data(),
                                 dx.data(), dgain.data(), dbias.data(), true);
    ::benchmark::ClobberMemory();
  }
  work.report_bytes(4.0 * sizeof(float) * static_cast<double>(rows * columns));
}
BENCHMARK(layer_norm_backward)->ArgNames({"rows", "n"})->Args({50, 64})->Args({12800, 64});

}  // namespace
}  // namespace recloom::benchmarks
