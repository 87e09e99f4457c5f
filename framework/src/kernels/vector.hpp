#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "recloom/core/export.hpp"

// Dense loops with run-time SIMD dispatch (scalar, AVX2, AVX-512). Single-threaded, no allocation.
// For one instruction set the same input gives the same bits.
namespace recloom::kernels {

/// Name of the instruction set in use. RECLOOM_ISA=scalar|sse4|avx2|avx512 lowers it.
RECLOOM_API const char* isa_name();

RECLOOM_API void add(std::size_t n, const float* x, float* y);            ///< y += x
RECLOOM_API void axpy(std::size_t n, float a, const float* x, float* y);  ///< y += a x
RECLOOM_API void scale(std::size_t n, float a, float* x);                 ///< x *= a
RECLOOM_API float dot(std::size_t n, const float* x, const float* y);
RECLOOM_API double squared_norm(std::size_t n, const float* x);  ///< Accumulated in double.
RECLOOM_API double sum(std::size_t n, const float* x);
RECLOOM_API bool all_finite(std::size_t n, const float* x);

RECLOOM_API void relu(std::size_t n, const float* x, float* y);
/// dx += dy where y > 0.
RECLOOM_API void relu_backward(std::size_t n, const float* y, const float* dy, float* dx);

/// Inverted dropout with a mask that is a function: element e of row `row` is kept if
/// philox(key, row, e) >= p, and scaled by 1/(1-p). The same call with dy gives dx: dst += where
/// accumulate.
RECLOOM_API void dropout(std::uint64_t key, std::uint64_t row, double p, std::size_t n,
                         const float* src, float* dst, bool accumulate);

/// Turn a row of logits into its gradient: logits[i] = weight (softmax(logits)[i] - [i == target]).
/// @return -ln softmax(logits)[target], in nats.
RECLOOM_API float cross_entropy_row(std::size_t n, std::size_t target, float weight, float* logits);

/// One step of max over time: where c[i] > best[i] (or not yet set, for position 0) take it and its
/// position. c, best [n]; where [n].
RECLOOM_API void running_max(std::size_t n, const float* c, std::int32_t position, float* best,
                             std::int32_t* where);

}  // namespace recloom::kernels
