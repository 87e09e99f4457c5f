#pragma once
// Calls that overlap, to find what they share.
#include <cstddef>
#include <functional>
#include <string>

namespace recloom::conformance {

inline constexpr std::size_t kCallers = 8;

/// Let kCallers threads call body(caller) at the same time; then let one call again and again, and
/// stop it in the middle of calls until another one has made some: what it keeps where the other
/// writes is wrong when it goes on. That takes no luck, no second processor and no idle machine.
/// @param body returns what is wrong, "" if nothing is; what it throws is wrong too.
/// @return what is wrong, "" if nothing is.
std::string concurrently(const std::function<std::string(std::size_t caller)>& body);

}  // namespace recloom::conformance
