#include <benchmark/benchmark.h>

#include <cstddef>
#include <vector>

#include "kernels/gemm.hpp"
#include "support/machine_peak.hpp"

namespace recloom::benchmarks {
namespace {

/// Arguments m, n, k and whether B is stored transposed.
void gemm(::benchmark::State& state) {
  const int m = static_cast<int>(state.range(0)), n = static_cast<int>(state.range(1)),
            k = static_cast<int>(state.range(2));
  const bool transpose_b = state.range(3) != 0;
  const std::vector<float> a(static_cast<std::size_t>(m) * k, 0.5F),
      b(static_cast<std::size_t>(k) * n, 0.25F);
  std::vector<float> c(static_cast<std::size_t>(m) * n);
  kernels::Gemm g;
  g.transpose_b = transpose_b;
  g.m = m, g.n = n, g.k = k;
  g.a = a.data(), g.lda = k;
  g.b = b.data(), g.ldb = transpose_b ? k : n;
  g.c = c.data(), g.ldc = n;
  const Work work(state);
  for (auto _ : state) {
    kernels::gemm(g);
    ::benchmark::ClobberMemory();
  }
  work.report_flops(2.0 * m * n * k);
}

// The products of Caser's step (d 64, L 10, a shard of 256 rows) and of a ranking tile.
BENCHMARK(gemm)
    ->ArgNames({"m", "n", "k", "tb"})
    ->Args({256, 64, 336, 0})
    ->Args({256, 64, 128, 0})
    ->Args({256, 8, 320, 0})
    ->Args({256, 3424, 64, 1})
    ->Args({64, 1024, 64, 1});

}  // namespace
}  // namespace recloom::benchmarks
