#pragma once
#include <cstdint>

#include "recloom/core/export.hpp"

namespace recloom::kernels {

/// C = op(A) op(B), or C += where accumulate. Row-major; op(A) is [m, k], op(B) is [k, n].
/// Single-threaded, thread safe, deterministic; primitives come from a cache by shape, so a warm
/// call allocates nothing. Sizes of 0 are legal (k = 0 clears C unless accumulating).
struct Gemm {
  bool transpose_a = false, transpose_b = false;
  std::int64_t m = 0, n = 0, k = 0;
  const float* a = nullptr;
  std::int64_t lda = 0;  ///< Floats between rows of A as stored.
  const float* b = nullptr;
  std::int64_t ldb = 0;
  float* c = nullptr;
  std::int64_t ldc = 0;
  bool accumulate = false;
};
RECLOOM_API void gemm(const Gemm& g);

}  // namespace recloom::kernels
