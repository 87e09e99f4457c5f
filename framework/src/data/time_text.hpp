#pragma once
#include <cstdint>
#include <string_view>

#include "data/time_key.hpp"
#include "recloom/core/export.hpp"

namespace recloom {

/// What became of a text that should be a time.
enum class TimeText {
  read,
  unknown,     ///< Written in no way that is known.
  impossible,  ///< A date that no calendar or clock has: 2023-02-29, 25:00.
  too_long,    ///< More digits than 64 bits, or more decimals than DecimalTime, can hold.
};

/// Return 10^n. @param n 0 to 18.
RECLOOM_API std::int64_t power_of_ten(int n) noexcept;
/// Return value * 10^n in `scaled`. @return false if it does not fit.
RECLOOM_API bool scale_by_ten(std::int64_t value, int n, std::int64_t& scaled) noexcept;

/// Read a number as it is, without rounding: "-1.50", "1.330474e+09"; blanks around it allowed.
/// @param unit how many decimals a whole number has: 3 for milliseconds.
RECLOOM_API TimeText read_number(std::string_view text, int unit, DecimalTime& time) noexcept;
/// Read ISO 8601: a date with - or /, and behind T or a blank hours, minutes, seconds, a fraction,
/// an offset (none: UTC). :60 is the next second, 24:00 the next midnight.
RECLOOM_API TimeText read_date(std::string_view text, DecimalTime& time) noexcept;

/// Count days from 1970-01-01. @return false if there is no such day.
bool days_of_date(int year, int month, int day, std::int64_t& days) noexcept;
/// Put together seconds and a fraction of them. @param fraction digits behind the point.
TimeText join_fraction(std::int64_t seconds, std::string_view fraction, DecimalTime& time) noexcept;

}  // namespace recloom
