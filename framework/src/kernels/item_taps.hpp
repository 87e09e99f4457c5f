#pragma once
#include <cstddef>
#include <cstdint>

#include "recloom/core/export.hpp"

namespace recloom::kernels {

/// Filters come in groups of so many, the last one padded with zeros.
inline constexpr std::size_t kTapLanes = 8;
/// Taps of a filter that one table holds: the table of a few thousand items stays in L2.
inline constexpr std::size_t kMostTaps = 8;

/// Convolutions over histories, from products that are already there: taps[item][j][f] = <vector of
/// item, row j of filter f>, for some neighbouring rows of all filters. A window that begins at
/// position t of a list of items is the sum over all rows j of taps[slots[t + j]][j][f].
struct TapsShape {
  std::size_t taps;   ///< Rows of the filters, at most kMostTaps.
  std::size_t lanes;  ///< Filters, a multiple of kTapLanes.
};

/// Add up some rows' part of windows.
/// @param slots [n_windows + taps - 1] rows of the table, from the first window's item under the
/// table's first tap. @param taps [items, taps, lanes].
/// @param[in,out] windows [n_windows, lanes], overwritten unless accumulating.
RECLOOM_API void add_taps(const TapsShape& shape, std::size_t n_windows, const std::int32_t* slots,
                          const float* taps, bool accumulate, float* windows);

/// best[f] = max over t of windows[t][f], where[f] = the first t that reaches it. NaN wins.
RECLOOM_API void largest_windows(std::size_t lanes, std::size_t n_windows, const float* windows,
                                 float* best, float* where);

/// The mirror of add_taps: every listed window adds its gradient to the taps that it is a sum of.
/// @param at [n] where a window's items under the table's first tap stand in slots.
/// @param diff [n, lanes].
RECLOOM_API void scatter_taps(const TapsShape& shape, std::size_t n, const std::size_t* at,
                              const float* diff, const std::int32_t* slots, float* diff_taps);

}  // namespace recloom::kernels
