#pragma once
#include <cstddef>

#include "recloom/core/export.hpp"

// Activations whose slope needs their argument; the others are in kernels/vector.hpp.
// Single-threaded, no allocation, any alignment, n = 0 is legal. NaN comes out where NaN goes in.
namespace recloom::kernels {

/// y = x Phi(x), Phi the normal distribution function: 0.5 x (1 + erf(x / sqrt 2)), PyTorch's
/// default. The relative error is below 7e-7 + 6e-8 x^2, in the tail too, where 1 + erf cancels.
RECLOOM_API void gelu(std::size_t n, const float* x, float* y);
/// dx = dy (Phi(x) + x Phi'(x)), added to what it is if accumulate.
RECLOOM_API void gelu_backward(std::size_t n, const float* x, const float* dy, float* dx,
                               bool accumulate);

/// y = x s, s = 1 / (1 + e^-x).
RECLOOM_API void swish(std::size_t n, const float* x, float* y);
/// dx = dy s (1 + x (1 - s)), added to what it is if accumulate.
RECLOOM_API void swish_backward(std::size_t n, const float* x, const float* dy, float* dx,
                                bool accumulate);

}  // namespace recloom::kernels
