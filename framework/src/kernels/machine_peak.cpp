#include "kernels/machine_peak.hpp"

#include <time.h>

#include <algorithm>
#include <cstddef>

namespace recloom::kernels {
namespace {

constexpr int kRepeats = 1 << 16;
// Independent chains: enough to fill two pipes of latency four, few enough for sixteen registers.
constexpr std::size_t kChains = 12;

typedef float Vector4 __attribute__((vector_size(16)));
typedef float Vector8 __attribute__((vector_size(32)));
typedef float Vector16 __attribute__((vector_size(64)));

template <class Vector>
[[gnu::always_inline]] inline void multiply_add_chains(float* values) {
  Vector chains[kChains];
  for (Vector& chain : chains) chain = Vector{} + values[0];
  const Vector a = Vector{} + 0.5F, b = Vector{} + 1.0F;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
#pragma GCC unroll 12
    for (Vector& chain : chains) chain = chain * a + b;
  }
  for (const Vector& chain : chains) values[0] += chain[0];
}
[[gnu::target("avx512f,prefer-vector-width=512")]] void chains_avx512(float* values) {
  multiply_add_chains<Vector16>(values);
}
[[gnu::target("avx2,fma")]] void chains_avx2(float* values) {
  multiply_add_chains<Vector8>(values);
}
void chains_baseline(float* values) { multiply_add_chains<Vector4>(values); }

double thread_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

double measure_peak_flops() {
  std::size_t lanes = 4;
  void (*chains)(float*) = chains_baseline;
  if (__builtin_cpu_supports("avx512f")) {
    lanes = 16, chains = chains_avx512;
  } else if (__builtin_cpu_supports("fma")) {
    lanes = 8, chains = chains_avx2;
  }
  // Of several, the fastest: the machine may be busy with something else.
  double best = 1e9;
  volatile float value = 1;
  for (int attempt = 0; attempt < 20; ++attempt) {
    float chained = value;
    const double begin = thread_seconds();
    chains(&chained);
    best = std::min(best, thread_seconds() - begin);
    value = chained;
  }
  return 2.0 * static_cast<double>(lanes * kChains) * kRepeats / best;
}

}  // namespace recloom::kernels
