#pragma once
#include <cstddef>
#include <cstdint>

#include "recloom/core/export.hpp"

// Products with one matrix many times: it is laid out once, in the order in which the product reads
// it. Other than kernels/gemm.hpp's, such a product is fast for few rows too. Single-threaded,
// thread safe, no allocation; the bits of a row do not depend on the rows beside it.
namespace recloom::kernels {

/// B [k, n], as it is stored.
struct Unpacked {
  bool transposed = false;  ///< Stored as [n, k].
  std::int64_t k = 0, n = 0;
  const float* b = nullptr;
  std::int64_t ldb = 0;  ///< Floats between stored rows.
};
/// Floats that a packed matrix takes.
RECLOOM_API std::size_t packed_size(std::int64_t k, std::int64_t n);
/// The layout is that of the instruction set in use: it cannot be kept beyond the process.
RECLOOM_API void pack(const Unpacked& b, float* packed);

/// C = bias + A B for every row, or C += A B without a bias. A is [m, k], C [m, n].
struct PackedGemm {
  bool transpose_a = false;  ///< A is stored as [k, m].
  std::int64_t m = 0, n = 0, k = 0;
  const float* a = nullptr;
  std::int64_t lda = 0;
  const float* packed = nullptr;
  /// Rows of the packed matrix, where they are more than k; those from first_k on are used.
  std::int64_t packed_k = 0, first_k = 0;
  const float* bias = nullptr;  ///< [n], or null.
  float* c = nullptr;
  std::int64_t ldc = 0;
};
RECLOOM_API void gemm(const PackedGemm& g);

}  // namespace recloom::kernels
