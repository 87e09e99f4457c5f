#pragma once
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

}  // namespace recloom
