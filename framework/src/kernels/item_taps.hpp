#pragma once
#include <cstddef>
#include <cstdint>

#include "recloom/core/export.hpp"

namespace recloom::kernels {

/// Filters come in groups of so many, the last one padded with zeros.
inline constexpr std::size_t kTapLanes = 8;

/// Convolutions over a history by filters of one height, from products that are already there:
/// taps[item][j][f] = <vector of item, row j of filter f>. A window's value is then a sum of
/// `height` such numbers, one per position.
struct TapsShape {
  std::size_t length;  ///< Positions of a history.
  std::size_t height;  ///< Of the filters, at most `length`.
  std::size_t lanes;   ///< Filters, a multiple of kTapLanes.
};

/// best[f] = max over t of sum_j taps[slots[t + j]][j][f], where[f] = the first t that reaches it.
/// @param slots [length] rows of taps. @param taps [items, height, lanes].
/// @param windows scratch, [length - height + 1, lanes].
RECLOOM_API void taps_forward(const TapsShape& shape, const std::int32_t* slots, const float* taps,
                              float* windows, float* best, float* where);

/// The mirror: diff_taps[slots[where[f] + j]][j][f] += diff[f] for f < filters with diff[f] != 0.
RECLOOM_API void taps_backward(const TapsShape& shape, std::size_t filters,
                               const std::int32_t* slots, const float* diff, const float* where,
                               float* diff_taps);

}  // namespace recloom::kernels
