#include "data/time_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <limits>
#include <system_error>

namespace recloom {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kDigits = "0123456789";

std::string_view without_blanks(std::string_view text) noexcept {
  const std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Digits with a point among them, without the zeros at the end: 1200 is 12 with -2 decimals.
struct Digits {
  std::uint64_t value = 0;
  std::int64_t decimals = 0;
  bool fits = true;

  /// Zeros wait for a digit behind them: without one they are no part of the value.
  void add(char digit) noexcept {
    ++decimals;
    ++zeros_;
    if (digit == '0') return;
    for (; zeros_ > 0 && fits; --zeros_) {
      constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max() / 10 - 1;
      fits = value <= kMost;
      value *= 10;
    }
    value += static_cast<std::uint64_t>(digit - '0');
  }
  void finish(std::int64_t before_point) noexcept {
    decimals = value == 0 ? 0 : decimals - before_point - zeros_;
  }

 private:
  std::int64_t zeros_ = 0;
};

/// Take the digits of a number off its text. @return false if there are none.
bool take_digits(std::string_view& text, Digits& digits) noexcept {
  std::int64_t before = 0, behind = 0;
  for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1), ++before) digits.add(text[0]);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1), ++behind) digits.add(text[0]);
  }
  digits.finish(before);
  return before + behind > 0;
}

/// Take the power of ten that a number ends with. @return false for other text.
bool take_exponent(std::string_view text, std::int64_t& exponent) noexcept {
  exponent = 0;
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  const bool minus = text.starts_with('-');
  if (minus || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.find_first_not_of(kDigits) != std::string_view::npos) return false;
  constexpr std::int64_t kHuge = 1'000'000'000'000;  // Far from what fits, and from an overflow.
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (error != std::errc() || exponent > kHuge) exponent = kHuge;
  if (minus) exponent = -exponent;
  return true;
}

/// Walks over the fields of a date.
class Fields {
 public:
  explicit Fields(std::string_view text) noexcept
      : at_(text.data()), end_(text.data() + text.size()) {}

  bool at_end() const noexcept { return at_ == end_; }
  bool two_digits(int& value) noexcept {
    if (end_ - at_ < 2 || !is_digit(at_[0]) || !is_digit(at_[1])) return false;
    value = (at_[0] - '0') * 10 + (at_[1] - '0');
    at_ += 2;
    return true;
  }
  /// Take one of these characters.
  template <class... Chars>
  bool mark(Chars... marks) noexcept {
    if (at_ == end_ || ((*at_ != marks) && ...)) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view word) noexcept {
    if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(word)) {
      return false;
    }
    at_ += word.size();
    return true;
  }
  std::string_view digits() noexcept {
    const char* const begin = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return {begin, static_cast<std::size_t>(at_ - begin)};
  }

 private:
  const char* at_;
  const char* end_;
};

/// The time of a day, its offset from UTC taken off.
struct Clock {
  int hour = 0, minute = 0, second = 0, offset_minutes = 0;
  std::string_view fraction;

  bool is_possible() const noexcept {
    const bool midnight = hour == 24 && minute == 0 && second == 0 &&
                          fraction.find_first_not_of('0') == std::string_view::npos;
    return (hour < 24 || midnight) && minute < 60 && second <= 60;
  }
  std::int64_t seconds() const noexcept {
    return (hour * 60 + minute - offset_minutes) * 60 + second;
  }
};

/// Take Z, UTC, GMT, or +HH, +HHMM, +HH:MM. @return false for other text.
bool take_offset(Fields& fields, Clock& clock, bool& possible) noexcept {
  if (fields.at_end() || fields.mark('Z', 'z')) return true;
  fields.mark(' ');
  if (fields.word("UTC") || fields.word("GMT")) return true;
  const bool plus = fields.mark('+');
  if (!plus && !fields.mark('-')) return false;
  int hours = 0, minutes = 0;
  if (!fields.two_digits(hours)) return false;
  const bool colon = fields.mark(':');
  if ((colon || !fields.at_end()) && !fields.two_digits(minutes)) return false;
  possible = hours < 24 && minutes < 60;
  clock.offset_minutes = (plus ? 1 : -1) * (hours * 60 + minutes);
  return true;
}

bool take_clock(Fields& fields, Clock& clock, bool& possible) noexcept {
  possible = true;
  if (!fields.mark('T', 't', ' ')) return false;
  if (!fields.two_digits(clock.hour) || !fields.mark(':') || !fields.two_digits(clock.minute)) {
    return false;
  }
  if (fields.mark(':')) {
    if (!fields.two_digits(clock.second)) return false;
    if (fields.mark('.', ',')) {
      clock.fraction = fields.digits();
      if (clock.fraction.empty()) return false;
    }
  }
  return take_offset(fields, clock, possible) && fields.at_end();
}

}  // namespace

std::int64_t power_of_ten(int n) noexcept {
  static constexpr auto kPowers = [] {
    std::array<std::int64_t, DecimalTime::kMostDecimals + 1> powers{1};
    for (std::size_t at = 1; at < powers.size(); ++at) powers[at] = 10 * powers[at - 1];
    return powers;
  }();
  return kPowers[static_cast<std::size_t>(n)];
}

bool scale_by_ten(std::int64_t value, int n, std::int64_t& scaled) noexcept {
  // The largest number stands for a missing time.
  return !__builtin_mul_overflow(value, power_of_ten(n), &scaled) && scaled != kMissingTime;
}

TimeText read_number(std::string_view text, int unit, DecimalTime& time) noexcept {
  text = without_blanks(text);
  const bool minus = text.starts_with('-');
  if (minus || text.starts_with('+')) text.remove_prefix(1);
  Digits digits;
  std::int64_t exponent = 0;
  if (!take_digits(text, digits) || !take_exponent(text, exponent)) return TimeText::unknown;
  time = {0, unit};
  if (digits.value == 0 && digits.fits) return TimeText::read;
  std::int64_t decimals = digits.decimals - exponent;
  std::uint64_t value = digits.value;
  for (; decimals < 0 && digits.fits; ++decimals) {
    digits.fits = value <= std::numeric_limits<std::uint64_t>::max() / 10;
    value *= 10;
  }
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  const bool fits = digits.fits && decimals + unit <= DecimalTime::kMostDecimals &&
                    (minus ? value <= kMost + 1 : value < kMost);
  if (!fits) return TimeText::too_long;
  time.mantissa = static_cast<std::int64_t>(minus ? ~value + 1 : value);
  time.scale = static_cast<int>(decimals) + unit;
  return TimeText::read;
}

TimeText read_date(std::string_view text, DecimalTime& time) noexcept {
  Fields fields(without_blanks(text));
  int century = 0, year = 0, month = 0, day = 0;
  if (!fields.two_digits(century) || !fields.two_digits(year)) return TimeText::unknown;
  const char mark = fields.mark('-') ? '-' : '/';
  if (mark == '/' && !fields.mark('/')) return TimeText::unknown;
  if (!fields.two_digits(month) || !fields.mark(mark) || !fields.two_digits(day)) {
    return TimeText::unknown;
  }
  year += 100 * century;
  Clock clock;
  bool possible = true;
  if (!fields.at_end() && !take_clock(fields, clock, possible)) return TimeText::unknown;
  std::int64_t days = 0;
  if (!days_of_date(year, month, day, days) || !possible || !clock.is_possible()) {
    return TimeText::impossible;
  }
  return join_fraction(days * 86400 + clock.seconds(), clock.fraction, time);
}

bool days_of_date(int year, int month, int day, std::int64_t& days) noexcept {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  const int length = kDays[static_cast<std::size_t>(month - 1)] + (leap && month == 2 ? 1 : 0);
  if (day > length) return false;
  // A year that begins in March ends with its leap day; its months have 153 days in five.
  const int shifted = month > 2 ? month - 3 : month + 9, before = year - (month > 2 ? 0 : 1);
  const int day_of_year = (153 * shifted + 2) / 5 + day - 1;
  constexpr int kDaysTo1970 = 719468;  // From the first of March of year 0.
  days = std::int64_t{365} * before + before / 4 - before / 100 + before / 400 + day_of_year -
         kDaysTo1970;
  return true;
}

TimeText join_fraction(std::int64_t seconds, std::string_view fraction,
                       DecimalTime& time) noexcept {
  fraction = fraction.substr(0, fraction.find_last_not_of('0') + 1);
  time = {seconds, 0};
  if (fraction.empty()) return TimeText::read;
  if (fraction.size() > static_cast<std::size_t>(DecimalTime::kMostDecimals)) {
    return TimeText::too_long;
  }
  std::int64_t part = 0;
  for (const char digit : fraction) part = part * 10 + (digit - '0');
  time.scale = static_cast<int>(fraction.size());
  const bool fits = scale_by_ten(seconds, time.scale, time.mantissa) &&
                    !__builtin_add_overflow(time.mantissa, part, &time.mantissa) &&
                    time.mantissa != kMissingTime;
  return fits ? TimeText::read : TimeText::too_long;
}

}  // namespace recloom
