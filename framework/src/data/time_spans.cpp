#include "data/time_spans.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "data/time_key.hpp"
#include "data/time_text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

__extension__ using Wide = __int128;
constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
/// In the year 5138; milliseconds are there since 1973.
constexpr double kLatestSecond = 1e11;

/// Return floor(seconds * 10^decimals) of the decimal number that `seconds` is the nearest to.
std::int64_t whole_keys(double seconds, int decimals) {
  const auto power = static_cast<double>(power_of_ten(decimals));
  const double whole = std::floor(seconds);
  if (whole * power >= 9.2e18) return kLargest;
  // What differs from a whole number of keys by the rounding of a decimal number, as 0.3 does, is
  // taken for it.
  const double exact = (seconds - whole) * power, nearest = std::round(exact);
  const double rounding = std::numeric_limits<double>::epsilon() * seconds * power;
  const double part = std::abs(exact - nearest) <= rounding ? nearest : std::floor(exact);
  return static_cast<std::int64_t>(static_cast<Wide>(whole) * static_cast<Wide>(power) +
                                   static_cast<Wide>(part));
}

}  // namespace

TimeSpan::TimeSpan(double seconds, const TimeScale& scale)
    : units_(seconds * static_cast<double>(power_of_ten(scale.decimals))),
      real_(scale.real),
      keys_(scale.real ? 0 : whole_keys(seconds, scale.decimals)) {}

bool TimeSpan::is_shorter_than(std::int64_t earlier, std::int64_t later) const noexcept {
  if (real_) return real_time_of_key(later) - real_time_of_key(earlier) > units_;
  return static_cast<Wide>(later) - static_cast<Wide>(earlier) > keys_;
}

std::int64_t TimeSpan::first_key_before(std::int64_t last) const noexcept {
  if (real_) return real_time_key(real_time_of_key(last) - units_);
  const Wide first = static_cast<Wide>(last) - keys_;
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  return first < kLeast ? kLeast : static_cast<std::int64_t>(first);
}

void require_seconds(std::int64_t latest, const TimeScale& scale, std::string_view setting) {
  const double units = scale.real ? real_time_of_key(latest) : static_cast<double>(latest);
  const double seconds = units / static_cast<double>(power_of_ten(scale.decimals));
  if (seconds <= kLatestSecond) return;
  const char* unit = seconds <= 1e14   ? "milliseconds"
                     : seconds <= 1e17 ? "microseconds"
                                       : "nanoseconds";
  throw ConfigError(fmt::format(
      "{} counts seconds, but the latest time of the log, {:.0f}, lies beyond the year 5000 as "
      "seconds: are these {}? (--set data.time_unit={})",
      setting, seconds, unit, unit));
}

}  // namespace recloom
