#include "data/block_times.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "config/set_option.hpp"
#include "core/text.hpp"
#include "data/time_text.hpp"

namespace recloom {
namespace {

/// Numbers from here on are no Unix seconds but finer: as seconds they are the year 5138.
constexpr int kLargeDigits = 11;

/// @param unit decimals of whole numbers.
std::string_view unit_name(int unit) {
  constexpr std::string_view kNames[] = {"seconds", "milliseconds", "microseconds", "nanoseconds"};
  return kNames[unit / 3];
}

bool is_large(const DecimalTime& number) {
  const std::int64_t whole = number.mantissa / power_of_ten(number.scale);
  const std::int64_t least = power_of_ten(kLargeDigits);
  return whole >= least || whole <= -least;
}

}  // namespace

void TimeKinds::add(const TimeKinds& other) noexcept {
  integers |= other.integers;
  decimals |= other.decimals;
  dates |= other.dates;
  large |= other.large;
}

TimeRules TimeRules::of(const DataOptions& options) {
  TimeRules rules;
  rules.column = options.time_column;
  rules.missing = options.missing_time;
  rules.unit = decimals_of(options.time_unit);
  rules.real = options.time_precision == TimePrecision::float32;
  rules.pattern = options.time_format;
  rules.decimals = rules.unit;
  return rules;
}

void BlockTimes::clear(const TimeRules& rules) {
  if (rules.pattern.empty()) {
    format_.reset();
  } else if (!format_ || rules.pattern != rules_.pattern) {
    format_.emplace(rules.pattern);
  }
  rules_ = rules;
  keys_.clear();
  kinds_ = {};
  error_.clear();
  const int large = kLargeDigits + rules.unit;
  least_large_ = large > DecimalTime::kMostDecimals ? std::numeric_limits<std::int64_t>::max()
                                                    : power_of_ten(large);
  note_decimals(rules.decimals);
}

void BlockTimes::note_decimals(int decimals) noexcept {
  decimals_ = decimals;
  plain_ = !rules_.real && !format_ && decimals == rules_.unit;
}

bool BlockTimes::rescale(int decimals) {
  const int more = decimals - decimals_;
  note_decimals(decimals);
  return rescale_times({keys_.data(), keys_.size()}, more);
}

bool BlockTimes::read_other(std::string_view cell, std::int64_t& key) {
  if (is_missing_word(cell)) return read_missing(key);
  double value = 0;
  if (rules_.real && !format_ && parse_real(cell, value) && std::isfinite(value)) {
    return take_real(cell, value, key);
  }
  DecimalTime time;
  if (!(format_ ? read_formatted(cell, time) : read_unformatted(cell, time))) return false;
  return fit(cell, time, key);
}

bool BlockTimes::read_missing(std::int64_t& key) {
  key = kMissingTime;
  if (rules_.missing != MissingTime::error) return true;
  return fail(
      fmt::format("'{}' is missing; --set data.missing_time=drop leaves such rows out, "
                  "--set data.missing_time=mean gives them the mean time",
                  printable(rules_.column)));
}

/// Take any number that a double can come near to.
bool BlockTimes::take_real(std::string_view cell, double value, std::int64_t& key) {
  key = real_time_key(value);
  (is_integer(cell) ? kinds_.integers : kinds_.decimals) = true;
  const double large = std::pow(10.0, kLargeDigits + rules_.unit);
  const bool day = rules_.unit == 0 && is_integer(cell) && is_day(static_cast<std::int64_t>(value));
  return (std::abs(value) < large && !day) || take_large(cell);
}

bool BlockTimes::take_large(std::string_view cell) {
  kinds_.large = true;
  if (rules_.allow_large) return true;
  std::int64_t number = 0;
  if (parse_integer(cell, number) && is_day(number)) {
    return fail(fmt::format(
        "'{}' is the number {} in a column with dates, and looks like one; --set "
        "data.time_format=%Y%m%d reads a column of such dates alone, so write all dates alike",
        printable(rules_.column), printable(cell)));
  }
  return fail(
      fmt::format("'{}' is the number {} in a column with dates, beside which numbers are Unix {}; "
                  "--set data.time_unit=milliseconds (microseconds, nanoseconds) says what else",
                  printable(rules_.column), printable(cell), unit_name(rules_.unit)));
}

bool BlockTimes::read_formatted(std::string_view cell, DecimalTime& time) {
  const TimeText result = format_->read(cell, time);
  kinds_.dates = true;
  if (result == TimeText::read) return true;
  std::string error = fmt::format(
      "'{}' is no time as data.time_format = \"{}\" writes it{}: '{}'", printable(rules_.column),
      printable(rules_.pattern),
      result == TimeText::impossible ? ", no day or hour of the calendar" : "", printable(cell));
  DecimalTime other;
  const bool plain = read_number(cell, rules_.unit, other) == TimeText::read ||
                     read_date(cell, other) == TimeText::read;
  if (is_name(cell)) return fail(std::string(kHeaderAgain));
  if (plain) {
    error += "; --set data.time_format= reads numbers and ISO 8601";
  } else if (const std::vector<std::string> fitting = TimeFormat::fitting(cell); !fitting.empty()) {
    error += fmt::format("; {} reads it", set_option("data.time_format", fitting[0]));
    if (fitting.size() > 1) error += fmt::format(" (or '{}')", fitting[1]);
  }
  return fail(std::move(error));
}

bool BlockTimes::read_unformatted(std::string_view cell, DecimalTime& time) {
  const bool dated = cell.size() >= 10 && (cell[4] == '-' || cell[4] == '/');
  TimeText result = dated ? read_date(cell, time) : TimeText::unknown;
  if (result == TimeText::unknown) {
    result = read_number(cell, rules_.unit, time);
    if (result != TimeText::unknown) return check_number(cell, result, time);
    if (!dated) result = read_date(cell, time);  // Blanks before it.
  }
  return check_date(cell, result);
}

bool BlockTimes::check_number(std::string_view cell, TimeText result, const DecimalTime& number) {
  if (result == TimeText::too_long) {
    return fail(fmt::format(
        "'{}' is {} of more than 64 bits: '{}'; --set data.time_precision=float32 "
        "reads it, rounded",
        printable(rules_.column), is_integer(cell) ? "an integer" : "a number", printable(cell)));
  }
  (number.scale > rules_.unit ? kinds_.decimals : kinds_.integers) = true;
  std::int64_t whole = 0;
  const bool day = rules_.unit == 0 && parse_digits(trim(cell), whole) && is_day(whole);
  return (!is_large(number) && !day) || take_large(cell);
}

bool BlockTimes::check_date(std::string_view cell, TimeText result) {
  const auto fail_with = [&](std::string_view what, std::string_view remedy) {
    return fail(
        fmt::format("'{}' {}: '{}'{}", printable(rules_.column), what, printable(cell), remedy));
  };
  switch (result) {
    case TimeText::unknown:
      return fail_unknown(cell);
    case TimeText::impossible:
      return fail_with("has a day or hour that is in no calendar", "");
    case TimeText::too_long:
      return fail_with("has more decimals than 64 bits hold beside its date",
                       "; nine (nanoseconds) fit until the year 2262");
    case TimeText::read:
      break;
  }
  kinds_.dates = true;
  if (rules_.allow_dates) return true;
  return fail_with("is a date in a column with numbers of 1e11 and more, or such as 20090504",
                   "; --set data.time_unit=milliseconds (microseconds, nanoseconds) says what "
                   "these are");
}

bool BlockTimes::fit(std::string_view cell, const DecimalTime& time, std::int64_t& key) {
  if (rules_.real) {
    const long double seconds = static_cast<long double>(time.mantissa) /
                                static_cast<long double>(power_of_ten(time.scale));
    key = real_time_key(
        static_cast<double>(seconds * static_cast<long double>(power_of_ten(rules_.unit))));
    return true;
  }
  const int before = decimals_;
  const bool finer = time.scale > before;
  const bool fits = (!finer || (time.scale <= rules_.most_decimals && rescale(time.scale))) &&
                    scale_by_ten(time.mantissa, decimals_ - time.scale, key);
  if (fits) return true;
  const std::string beside =
      finer ? fmt::format("{} decimals beside those before it", time.scale - rules_.unit)
            : fmt::format("the {} decimals of others", decimals_ - rules_.unit);
  return fail(
      fmt::format("'{}' is '{}', and with {} times do not fit into 64 bits; fewer decimals "
                  "do, or --set data.time_precision=float32, which rounds",
                  printable(rules_.column), printable(cell), beside));
}

bool BlockTimes::fail(std::string error) {
  error_ = std::move(error);
  return false;
}

bool BlockTimes::is_name(std::string_view cell) const {
  cell = trim(cell);
  return cell == rules_.column || cell.starts_with(rules_.column + ":");
}

bool BlockTimes::fail_unknown(std::string_view cell) {
  if (is_name(cell)) return fail(std::string(kHeaderAgain));
  std::string with_point(cell);
  std::replace(with_point.begin(), with_point.end(), ',', '.');
  double value = 0;
  if (with_point != cell && parse_real(with_point, value)) {
    return fail(fmt::format(
        "'{}' has a comma where numbers have a point: '{}'; `tr , . <FILE | recloom data "
        "stats -` writes points, where no comma parts the cells",
        printable(rules_.column), printable(cell)));
  }
  const std::vector<std::string> fitting = TimeFormat::fitting(cell);
  const std::string first = fitting.empty() ? "%d.%m.%Y %H:%M" : fitting[0];
  const std::string second = fitting.size() < 2 ? "" : fmt::format(" (or '{}')", fitting[1]);
  return fail(
      fmt::format("'{}' is neither a number nor an ISO 8601 time: '{}'; {}{} reads {}, --set "
                  "data.time_column=NAME takes another column",
                  printable(rules_.column), printable(cell), set_option("data.time_format", first),
                  second, fitting.empty() ? "times written so" : "it"));
}

bool rescale_times(std::span<std::int64_t> keys, int more) noexcept {
  if (more == 0) return true;
  for (std::int64_t& key : keys) {
    if (key != kMissingTime && !scale_by_ten(key, more, key)) return false;
  }
  return true;
}

std::string describe_times(const TimeKinds& kinds, const DataOptions& options) {
  std::string numbers;
  if (kinds.integers) numbers = "integers";
  if (kinds.decimals) numbers += numbers.empty() ? "decimals" : " and decimals";
  if (!numbers.empty())
    numbers += fmt::format(", as {}", unit_name(decimals_of(options.time_unit)));
  std::string text = numbers;
  if (kinds.dates) {
    text = options.time_format.empty() ? "ISO 8601" : "as " + printable(options.time_format);
    if (!numbers.empty()) text += "; " + numbers;
  }
  if (text.empty()) return "none: file order";
  if (options.time_precision == TimePrecision::float32) text += ", rounded to single precision";
  return text;
}

}  // namespace recloom
