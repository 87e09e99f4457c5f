#include "data/time_cell.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "core/text.hpp"
#include "data/block_times.hpp"
#include "data/time_key.hpp"
#include "data/time_text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr std::int64_t kDay = 86400;

/// Divide, rounded down. @param by above 0.
std::int64_t floor_of(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

struct Date {
  std::int64_t year = 0;
  int month = 0, day = 0;
};

/// The day that lies so many days after 1970-01-01.
Date date_of(std::int64_t days) {
  // Years that begin in March, in cycles of 400; see days_of_date().
  constexpr std::int64_t kCycle = 146097, kFrom1970 = 719468;
  const std::int64_t cycle = floor_of(days + kFrom1970, kCycle);
  const std::int64_t in_cycle = days + kFrom1970 - cycle * kCycle;
  const std::int64_t year_of_cycle =
      (in_cycle - in_cycle / 1460 + in_cycle / 36524 - in_cycle / 146096) / 365;
  const std::int64_t in_year =
      in_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
  const std::int64_t month = (5 * in_year + 2) / 153;
  Date date;
  date.day = static_cast<int>(in_year - (153 * month + 2) / 5 + 1);
  date.month = static_cast<int>(month < 10 ? month + 3 : month - 9);
  date.year = 400 * cycle + year_of_cycle + (date.month <= 2 ? 1 : 0);
  return date;
}

/// The digits behind the point, with the point, without zeros at the end.
std::string fraction_text(std::int64_t part, int decimals) {
  if (part == 0) return "";
  std::string text = fmt::format(".{:0{}}", part, decimals);
  return text.substr(0, text.find_last_not_of('0') + 1);
}

}  // namespace

DecimalTime parse_time_text(std::string_view text, const DataOptions& options,
                            std::string_view key) {
  TimeRules rules = TimeRules::of(options);
  rules.column = key;
  rules.real = false;
  if (is_missing_word(text)) {
    throw ConfigError(fmt::format("{}: '{}' is no time", key, printable(text)));
  }
  BlockTimes times;
  times.clear(rules);
  DecimalTime time;
  if (!times.read(text, time.mantissa)) throw ConfigError(times.error());
  time.scale = times.decimals();
  return time;
}

std::int64_t first_key_at(const DecimalTime& time, const TimeScale& scale) noexcept {
  if (scale.real) {
    const long double seconds = static_cast<long double>(time.mantissa) /
                                static_cast<long double>(power_of_ten(time.scale));
    const auto value =
        static_cast<double>(seconds * static_cast<long double>(power_of_ten(scale.decimals)));
    // Times of such a log are rounded, and so is the one that they are compared with.
    return real_time_key(static_cast<double>(static_cast<float>(value)));
  }
  const int more = scale.decimals - time.scale;
  if (more < 0) {
    const std::int64_t by = power_of_ten(-more), key = floor_of(time.mantissa, by);
    return key + (key * by == time.mantissa ? 0 : 1);
  }
  std::int64_t key = 0;
  if (scale_by_ten(time.mantissa, more, key)) return key;
  return time.mantissa < 0 ? std::numeric_limits<std::int64_t>::min() : kMissingTime;
}

std::string format_time(std::int64_t key, const TimeScale& scale) {
  std::int64_t decimals = scale.decimals, value = key;
  if (scale.real) {
    constexpr int kMicroseconds = 6;
    const long double seconds = static_cast<long double>(real_time_of_key(key)) /
                                static_cast<long double>(power_of_ten(scale.decimals));
    constexpr long double kMost = 1e12L;
    if (std::abs(seconds) > kMost) return fmt::format("{} s", static_cast<double>(seconds));
    value = std::llround(seconds * static_cast<long double>(power_of_ten(kMicroseconds)));
    decimals = kMicroseconds;
  }
  const std::int64_t one = power_of_ten(static_cast<int>(decimals));
  const std::int64_t seconds = floor_of(value, one), days = floor_of(seconds, kDay);
  const std::string fraction = fraction_text(value - seconds * one, static_cast<int>(decimals));
  const Date date = date_of(days);
  if (date.year < 1 || date.year > 9999) return fmt::format("{}{} s", seconds, fraction);
  const std::int64_t of_day = seconds - days * kDay;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", date.year, date.month, date.day,
                     of_day / 3600, of_day / 60 % 60, of_day % 60, fraction);
}

}  // namespace recloom
