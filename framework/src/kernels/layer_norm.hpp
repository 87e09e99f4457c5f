#pragma once
#include <cstddef>

#include "recloom/core/export.hpp"

// Single-threaded, no allocation, any alignment; see kernels/vector.hpp.
namespace recloom::kernels {

/// y = (x - mean) scale * gain + bias for every row of x [rows, n], with the row's mean and
/// scale = 1 / sqrt(variance + epsilon), the variance that of n numbers. n >= 1.
/// @param[out] moments [rows, 2]: mean and scale. y may be x.
RECLOOM_API void layer_norm(std::size_t rows, std::size_t n, const float* x, const float* gain,
                            const float* bias, double epsilon, float* y, float* moments);

/// Add the gradients of layer_norm. @param dx [rows, n], dgain, dbias [n]: null if not wanted.
/// @param accumulate false: dx is written to, not added to.
RECLOOM_API void layer_norm_backward(std::size_t rows, std::size_t n, const float* x,
                                     const float* gain, const float* moments, const float* dy,
                                     float* dx, float* dgain, float* dbias, bool accumulate);

}  // namespace recloom::kernels
