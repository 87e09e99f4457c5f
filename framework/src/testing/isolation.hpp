#pragma once
// Checks in child processes: a plugin may crash, end the process or never come back.
#include <cstddef>
#include <functional>
#include <span>

#include "testing/subject.hpp"

namespace recloom::conformance {

struct IsolationLimits {
  double seconds = 0;      ///< Of a check.
  std::size_t memory = 0;  ///< Bytes that a child may hold.
};

/// Run checks in order in a child process, and what is left in another one where it does not come
/// to the end. What several checks need is made once in each.
/// @param done called after each check, here.
/// @throws ConfigError parameters that the plugin does not take.
void run_isolated(const Origin& origin, std::span<const Check* const> checks,
                  const IsolationLimits& limits,
                  const std::function<void(const Check&, const Finding&, double seconds)>& done);

}  // namespace recloom::conformance
