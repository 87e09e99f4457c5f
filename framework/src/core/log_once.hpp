#pragma once
#include "recloom/core/export.hpp"

namespace recloom {

/// While one lives, a line that was logged since the first began is not logged again: for what is
/// read twice.
class RECLOOM_API LogOnce {
 public:
  LogOnce();
  ~LogOnce();
  LogOnce(const LogOnce&) = delete;
  LogOnce& operator=(const LogOnce&) = delete;
};

}  // namespace recloom
