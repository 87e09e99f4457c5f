#pragma once
#include <cstddef>

#include "recloom/core/export.hpp"

// The elementwise half of a gated recurrent unit; nn/ops_gru.cpp has the products.
namespace recloom::kernels {

/// Compute the gates of rows from their sums, and step on: r = sigmoid(r), z = sigmoid(z),
/// n = tanh(n + r * m), h' = n + z (h - n).
/// @param sums rows of n, r, z, then m = W_hn h + b_hn, 4 hidden floats of sums_stride.
/// @param h [rows, hidden], null for zeros. @param[out] gates [rows, 4 hidden] n, r, z, m.
/// @param[out] next [rows, hidden], may be h.
RECLOOM_API void gru_step(std::size_t rows, std::size_t hidden, const float* sums,
                          std::size_t sums_stride, const float* h, float* gates, float* next);

/// The gradient of a row's step. @param gates [4 hidden] as gru_step() left them.
/// @param h [hidden], null for zeros. @param diff_next [hidden]: of h' as an output.
/// @param[in,out] diff_h [hidden]: of h' as a state, then what of h goes past the gates.
/// @param[out] diff_gates [4 hidden]: of the sums.
RECLOOM_API void gru_step_backward(std::size_t hidden, const float* gates, const float* h,
                                   const float* diff_next, float* diff_h, float* diff_gates);

}  // namespace recloom::kernels
