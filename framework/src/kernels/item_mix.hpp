#pragma once
#include <cstddef>
#include <cstdint>

#include "recloom/core/export.hpp"

namespace recloom::kernels {

/// Sums over the positions of a history with a weight for each position and filter, for rows whose
/// items are numbered by slots: y[f] = bias[f] + sum_t weight[f, t] vectors[slot of position t].
struct MixRows {
  std::size_t rows;
  const std::int32_t* slots;     ///< Rows of `vectors`.
  const std::size_t* row_slots;  ///< [rows] where a row's `length` slots begin.
  std::size_t length, filters, columns;
  const float* vectors;  ///< [items, columns]
  const float* weight;   ///< [filters, length]
};

/// @param[out] y [rows, filters, columns].
RECLOOM_API void mix_forward(const MixRows& m, const float* bias, float* y);

/// Add to the gradients. @param dy [rows, filters, columns]. @param diff_vectors [items, columns].
/// @param diff_weight [filters, length]. @param diff_bias [filters].
RECLOOM_API void mix_backward(const MixRows& m, const float* dy, float* diff_vectors,
                              float* diff_weight, float* diff_bias);

}  // namespace recloom::kernels
