#pragma once
#include <cstddef>
#include <cstdint>

#include "recloom/core/export.hpp"

namespace recloom::kernels {

/// Filters come in groups of so many, the last one padded with zeros.
inline constexpr std::size_t kTapLanes = 8;
/// Taps that one call works on: those of an item share cache lines, those of all items stay in L2.
inline constexpr std::size_t kTapsAtOnce = 8;

/// Convolutions over histories by filters of one height, from products that are already there:
/// taps[item][j][f] = <vector of item, row j of filter f>. The window at position t of a list of
/// items has the value sum_j taps[slots[t + j]][j][f].
struct TapsShape {
  std::size_t height;  ///< Of the filters.
  std::size_t lanes;   ///< Filters, a multiple of kTapLanes.
  std::size_t stride;  ///< Floats from one item's taps to the next one's, at least height * lanes.
};

/// Add what taps first..first+kTapsAtOnce-1 (as far as there are) contribute to some windows.
/// @param slots [n_windows + height - 1] rows of taps. @param[in,out] windows [n_windows, lanes],
/// overwritten where first is 0.
RECLOOM_API void add_taps(const TapsShape& shape, std::size_t first, std::size_t n_windows,
                          const std::int32_t* slots, const float* taps, float* windows);

/// best[f] = max over t of windows[t][f], where[f] = the first t that reaches it. NaN wins.
RECLOOM_API void largest_windows(std::size_t lanes, std::size_t n_windows, const float* windows,
                                 float* best, float* where);

/// The mirror of add_taps: every listed window adds its gradient to the taps that it is a sum of.
/// @param at [n] where the windows begin in slots. @param diff [n, lanes].
RECLOOM_API void scatter_taps(const TapsShape& shape, std::size_t first, std::size_t n,
                              const std::int32_t* at, const float* diff, const std::int32_t* slots,
                              float* diff_taps);

}  // namespace recloom::kernels
