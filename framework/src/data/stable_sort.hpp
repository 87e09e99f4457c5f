#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

#include "recloom/core/run_context.hpp"

namespace recloom {

/// What std::stable_sort does, on all threads of a run and with an end when a stop is requested.
/// @param piece how many values a thread sorts at a time. @throws Interrupted, with the values in
/// any order.
template <class T, class Less>
void sort_stably(std::vector<T>& values, const Less& less, const RunContext& run,
                 std::size_t piece = std::size_t{1} << 19) {
  const std::size_t n = values.size();
  if (n <= piece) {
    std::stable_sort(values.begin(), values.end(), less);
    return;
  }
  const auto at = [&](std::size_t index) {
    return values.begin() + static_cast<std::ptrdiff_t>(std::min(index, n));
  };
  run.parallel_for((n + piece - 1) / piece, [&](std::size_t index) {
    std::stable_sort(at(index * piece), at((index + 1) * piece), less);
  });
  std::vector<T> merged(n);
  for (std::size_t sorted = piece; sorted < n; sorted *= 2) {
    run.parallel_for((n + 2 * sorted - 1) / (2 * sorted), [&](std::size_t pair) {
      const auto begin = at(2 * pair * sorted), middle = at((2 * pair + 1) * sorted),
                 end = at((2 * pair + 2) * sorted);
      std::merge(begin, middle, middle, end, merged.begin() + (begin - values.begin()), less);
    });
    values.swap(merged);
  }
}

}  // namespace recloom
