#pragma once
#include <bit>
#include <cstdint>
#include <limits>

namespace recloom {

/// A time as an exact decimal: mantissa / 10^scale seconds. Dates are Unix seconds; numbers count
/// from wherever their log does.
struct DecimalTime {
  /// More decimals than any clock gives: a second is then all that 64 bits hold.
  static constexpr int kMostDecimals = 18;

  std::int64_t mantissa = 0;
  int scale = 0;  ///< 0 to kMostDecimals.
};

/// What the time keys of a log are: seconds * 10^decimals, as an integer; or, where times are
/// rounded to single precision, as the key of a double (real_time_key()).
struct TimeScale {
  int decimals = 0;
  bool real = false;
};

/// Stands for the key of a time that lacks.
inline constexpr std::int64_t kMissingTime = std::numeric_limits<std::int64_t>::max();

/// Return the key of a finite double: an integer with the same order, so that one sort serves all
/// keys. Both zeros have the same key.
inline std::int64_t real_time_key(double time) noexcept {
  const auto bits = std::bit_cast<std::int64_t>(time + 0.0);
  return bits >= 0 ? bits : bits ^ std::numeric_limits<std::int64_t>::max();
}
inline double real_time_of_key(std::int64_t key) noexcept {
  return std::bit_cast<double>(key >= 0 ? key : key ^ std::numeric_limits<std::int64_t>::max());
}

}  // namespace recloom
