#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "recloom/core/export.hpp"
#include "recloom/data/options.hpp"

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
/// rounded to single precision, as the key of a double (time_key.hpp).
struct TimeScale {
  int decimals = 0;
  bool real = false;
};

/// Read a time that stands in a setting as one of the log's column is read: numbers in
/// data.time_unit, ISO 8601, or what data.time_format says.
/// @param key what the message of an error begins with, for example "split.times".
/// @throws ConfigError no such time; one that does not fit into 64 bits.
RECLOOM_API DecimalTime parse_time_text(std::string_view text, const DataOptions& options,
                                        std::string_view key);

/// Return the least key of a log whose time is not earlier than this one: events before it have
/// lower keys, all others do not. Not for times that data.normalize_time has scaled.
RECLOOM_API std::int64_t first_key_at(const DecimalTime& time, const TimeScale& scale) noexcept;

/// Return a key's time as ISO 8601, UTC, with as many decimals as it needs:
/// "2014-04-07T10:51:09.277Z"; in years that no date names, the number of seconds.
RECLOOM_API std::string format_time(std::int64_t key, const TimeScale& scale);

}  // namespace recloom
