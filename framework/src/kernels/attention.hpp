#pragma once
#include <cstddef>

#include "recloom/core/export.hpp"

// Single-threaded, no allocation, any alignment; see kernels/vector.hpp.
namespace recloom::kernels {

/// p = softmax(scale s + mask) over n >= 1 elements; mask is 0 or -inf, or null for 0. Masked
/// elements are exactly 0, and all are if all are masked. p may be s.
RECLOOM_API void masked_softmax(std::size_t n, float scale, const float* mask, const float* s,
                                float* p);
/// ds = scale p (dp - sum of p dp): the gradient of masked_softmax for s. ds may be dp.
RECLOOM_API void masked_softmax_backward(std::size_t n, float scale, const float* p,
                                         const float* dp, float* ds);

/// x = factor x where kept is not 0, else 0: the gradient of dropout, from what it gave.
RECLOOM_API void keep_scaled(std::size_t n, float factor, const float* kept, float* x);

}  // namespace recloom::kernels
