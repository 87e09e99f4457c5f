#pragma once
#include <bit>
#include <cstdint>
#include <limits>

namespace recloom {

/// Times are compared as 64-bit integers throughout: an integer time is its own key, a real time is
/// mapped to an integer with the same order. So nanoseconds that no double can hold stay exact, and
/// one sort serves both.
inline constexpr std::int64_t kMissingTime = std::numeric_limits<std::int64_t>::max();

/// Return the key of a finite real time. Both zeros have the same key.
inline std::int64_t real_time_key(double time) noexcept {
  const auto bits = std::bit_cast<std::int64_t>(time + 0.0);
  return bits >= 0 ? bits : bits ^ std::numeric_limits<std::int64_t>::max();
}
inline double real_time_of_key(std::int64_t key) noexcept {
  return std::bit_cast<double>(key >= 0 ? key : key ^ std::numeric_limits<std::int64_t>::max());
}

}  // namespace recloom
