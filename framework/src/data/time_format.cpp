#include "data/time_format.hpp"

// Names of days and months are English, whatever the system's language is.
#define ONLY_C_LOCALE 1
// Seconds that could not be read are not used, and numbers have no more digits than fit, but the
// compiler does not see that.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#include <date/date.h>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <istream>
#include <streambuf>

#include "core/text.hpp"

namespace recloom {
namespace {

/// Text in memory as a stream.
class TextBuffer final : public std::streambuf {
 public:
  void set(std::string_view text) {
    char* const begin = const_cast<char*>(text.data());  // Never written to.
    setg(begin, begin, begin + text.size());
  }
  bool at_end() const { return gptr() == egptr(); }
};

/// Python's %f, which only stands behind "%S.", says what %S reads anyway.
std::string without_fraction(std::string_view pattern) {
  std::string text(pattern);
  constexpr std::string_view kPython = "%S.%f";
  for (std::size_t at; (at = text.find(kPython)) != std::string::npos;) {
    text.replace(at, kPython.size(), "%S");
  }
  return text;
}

/// The digits behind the point, of nanoseconds.
std::string fraction_of(std::chrono::nanoseconds part) {
  return part.count() == 0 ? "" : fmt::format("{:09}", part.count());
}

TimeText time_of(const date::fields<std::chrono::nanoseconds>& fields, std::chrono::minutes offset,
                 DecimalTime& time) {
  std::int64_t days = 0;
  const date::year_month_day& ymd = fields.ymd;
  if (!days_of_date(int(ymd.year()), static_cast<int>(unsigned(ymd.month())),
                    static_cast<int>(unsigned(ymd.day())), days)) {
    return TimeText::impossible;
  }
  const std::int64_t hours = fields.tod.hours().count(), minutes = fields.tod.minutes().count();
  const std::int64_t seconds = fields.tod.seconds().count();
  const std::string fraction = fraction_of(fields.tod.subseconds());
  const bool midnight = hours == 24 && minutes == 0 && seconds == 0 && fraction.empty();
  if ((hours > 23 && !midnight) || minutes > 59 || seconds > 60) return TimeText::impossible;
  const std::int64_t of_day = (hours * 60 + minutes - offset.count()) * 60 + seconds;
  return join_fraction(days * 86400 + of_day, fraction, time);
}

}  // namespace

struct TimeFormat::Impl {
  std::string pattern, with_colon;
  TextBuffer buffer;
  std::istream stream{&buffer};

  TimeText read(const std::string& form, std::string_view text, DecimalTime& time) {
    buffer.set(text);
    stream.clear();
    date::fields<std::chrono::nanoseconds> fields;
    std::chrono::minutes offset{0};
    date::from_stream(stream, form.c_str(), fields, static_cast<std::string*>(nullptr), &offset);
    if (stream.fail() || !buffer.at_end()) return TimeText::unknown;
    // %Y takes fewer than four digits, too: the year 3 is meant by nobody.
    constexpr int kFirstOfFourDigits = 1000;
    if (int(fields.ymd.year()) < kFirstOfFourDigits) return TimeText::unknown;
    return time_of(fields, offset, time);
  }
};

TimeFormat::TimeFormat(std::string_view pattern) : impl_(std::make_unique<Impl>()) {
  impl_->pattern = impl_->with_colon = without_fraction(pattern);
  // %z is +0530 here, %Ez is +05:30; Python's %z is both.
  const std::size_t offset = impl_->pattern.find("%z");
  if (offset != std::string::npos) impl_->with_colon.replace(offset, 2, "%Ez");
}

TimeFormat::~TimeFormat() = default;

TimeText TimeFormat::read(std::string_view text, DecimalTime& time) {
  const TimeText result = impl_->read(impl_->pattern, trim(text), time);
  if (result != TimeText::unknown || impl_->with_colon == impl_->pattern) return result;
  return impl_->read(impl_->with_colon, trim(text), time);
}

std::string TimeFormat::problem_of(std::string_view pattern) {
  constexpr std::string_view kLegal = "YymbBhdeHIMSpaAzFDRTnt%";
  const std::string text = without_fraction(pattern);
  std::string used;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') continue;
    if (++at == text.size()) return "it ends with a lone %";
    // Offsets with a colon, which %z reads too.
    if (text[at] == 'E' && at + 1 < text.size() && text[at + 1] == 'z') ++at;
    if (kLegal.find(text[at]) == std::string_view::npos) {
      return fmt::format("%{} is not known; legal are %{}", printable(text.substr(at, 1)),
                         fmt::join(kLegal, " %"));
    }
    used += text[at];
  }
  const auto has = [&](std::string_view letters) {
    return used.find_first_of(letters) != std::string::npos;
  };
  if (has("FD") || (has("Yy") && has("mbBh") && has("de"))) return "";
  return "it must name year, month and day";
}

std::vector<std::string> TimeFormat::fitting(std::string_view text) {
  constexpr std::array kDates = {"%d.%m.%Y", "%m/%d/%Y",    "%d/%m/%Y",     "%d-%m-%Y", "%m-%d-%Y",
                                 "%Y.%m.%d", "%Y-%m-%d",    "%Y/%m/%d",     "%m/%d/%y", "%d/%m/%y",
                                 "%d.%m.%y", "%m %d, %Y",   "%b %d, %Y",    "%d %b %Y", "%d-%b-%Y",
                                 "%d/%b/%Y", "%d-%b-%y",    "%d-%m-%y",     "%m-%d-%y", "%y-%m-%d",
                                 "%y/%m/%d", "%a %b %d %Y", "%a, %d %b %Y", "%Y%m%d"};
  constexpr std::array kClocks = {
      "",           " %H:%M",     " %H:%M:%S",     " %I:%M %p",    " %I:%M:%S %p", ", %H:%M",
      ", %H:%M:%S", ", %I:%M %p", ", %I:%M:%S %p", " %H:%M:%S %z", ":%H:%M:%S %z", "T%H%M%SZ",
      "T%H:%M:%S",  " %H%M%S",    "T%H:%M:%S%z",   " %H.%M.%S"};
  std::vector<std::string> patterns;
  const auto try_out = [&](std::string pattern) {
    DecimalTime time;
    if (patterns.size() < 2 && TimeFormat(pattern).read(text, time) == TimeText::read) {
      patterns.push_back(std::move(pattern));
    }
  };
  // As C's asctime() and the public APIs write it.
  for (const char* whole : {"%a %b %d %H:%M:%S %z %Y", "%a %b %d %H:%M:%S %Y"}) try_out(whole);
  for (const char* date : kDates) {
    for (const char* clock : kClocks) try_out(std::string(date) + clock);
  }
  return patterns;
}

}  // namespace recloom
