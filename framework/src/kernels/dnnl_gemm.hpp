#pragma once
#include <cstddef>

#include "kernels/gemm.hpp"

namespace recloom::kernels {

/// The two ways to a product that oneDNN has. gemm() takes matmul where the processor has AVX-512
/// (its kernels are as fast and bring no allocation of their own) and sgemm elsewhere (there matmul
/// calls the same kernel, 0.5 us later). The choice depends on nothing else, so that a row's bits
/// do not change with the path.
enum class GemmPath { matmul, sgemm };
RECLOOM_API GemmPath gemm_path();
RECLOOM_API void gemm(const Gemm& g, GemmPath path);
/// Return the number of matmul primitives kept; never above kGemmCacheCapacity.
RECLOOM_API std::size_t gemm_cache_size();
inline constexpr std::size_t kGemmCacheCapacity = 2048;

}  // namespace recloom::kernels
