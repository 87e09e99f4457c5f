#pragma once
#include "recloom/core/export.hpp"

// Convolution over time by the library's convolution primitive. Kept beside products of windows
// (kernels/gemm.hpp), which are faster, as the form that needs no thought: to choose, and to test
// against. Single-threaded, thread safe, deterministic, no allocation in a warm call.
namespace recloom::kernels {

/// Shapes of a convolution of [rows, length, channels] with [filters, height, channels], stride 1
/// and no padding, to [rows, length - height + 1, filters]. All row-major.
struct Conv1d {
  int rows = 0, length = 0, channels = 0, filters = 0, height = 0;
  int positions() const noexcept { return length - height + 1; }
};

/// dst[r, t, f] = bias[f] + sum of src[r, t + j, c] weights[f, j, c]. `bias` may be null.
/// All three throw InternalError if a size is below 1 (rows: below 0) or height above length.
RECLOOM_API void conv1d(const Conv1d& shape, const float* src, const float* weights,
                        const float* bias, float* dst);
/// Overwrite d_src with the gradient of src.
RECLOOM_API void conv1d_backward_data(const Conv1d& shape, const float* d_dst, const float* weights,
                                      float* d_src);
/// Overwrite d_weights, and d_bias unless it is null, with their gradients.
RECLOOM_API void conv1d_backward_weights(const Conv1d& shape, const float* src, const float* d_dst,
                                         float* d_weights, float* d_bias);

}  // namespace recloom::kernels
