#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "recloom/core/run_context.hpp"

namespace recloom {

/// Looks at the stop request once in many steps of a loop.
class StopCheck {
 public:
  explicit StopCheck(const RunContext& run) noexcept : run_(run) {}
  /// @throws Interrupted.
  void step() {
    if ((++n_steps_ & kMask) == 0) run_.check_stop();
  }

 private:
  static constexpr std::uint32_t kMask = 0xFFFF;
  const RunContext& run_;
  std::uint32_t n_steps_ = 0;
};

/// Call body(row) for 0..n_rows-1, in order. The stop request is looked at between thousands of
/// rows, so that the loop over them is as fast as any. @throws Interrupted.
template <class Body>
void for_each_row(std::size_t n_rows, const RunContext& run, const Body& body) {
  constexpr std::size_t kRows = std::size_t{1} << 16;
  for (std::size_t begin = 0; begin < n_rows; begin += kRows) {
    run.check_stop();
    const std::size_t end = std::min(n_rows, begin + kRows);
    for (std::size_t row = begin; row < end; ++row) body(row);
  }
}

}  // namespace recloom
