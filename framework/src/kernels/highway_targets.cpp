// The two functions of Highway's library that its headers call. The rest of the library is not
// needed, and loading it costs milliseconds at every start: it measures its timer then.
#include "kernels/highway.hpp"
// Highway after the levels are set.
#include <hwy/highway.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <cstdint>

#if defined(__x86_64__)
namespace {

/// __builtin_cpu_supports() of clang does not know the name before version 17.
bool has_f16c() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}

}  // namespace
#endif

namespace hwy {

std::int64_t SupportedTargets() {
  std::int64_t targets = HWY_STATIC_TARGET | HWY_SCALAR;
#if defined(__x86_64__)
  // What Highway compiles a level for, not only what gives the level its name.
  const bool sse4 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul") &&
                    __builtin_cpu_supports("aes");
  const bool avx2 = sse4 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && has_f16c();
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
  targets |= (sse4 ? HWY_SSE4 : 0) | (avx2 ? HWY_AVX2 : 0) | (avx512 ? HWY_AVX3 : 0);
#endif
  return targets;
}

ChosenTarget& GetChosenTarget() {
  static ChosenTarget chosen;
  return chosen;
}

}  // namespace hwy
