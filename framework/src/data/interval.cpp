#include "data/interval.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "core/text.hpp"
#include "data/cells.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

[[noreturn]] void malformed(std::string_view text, std::string_view key, std::string_view why) {
  throw ConfigError(
      fmt::format("{}: '{}' is no interval ({}); legal are [low,high], (low,high], [low,high), "
                  "(low,high), with inf and -inf, several joined with ';'",
                  key, printable(text), why));
}

double parse_end(std::string_view end, std::string_view text, std::string_view key) {
  double value = 0;
  if (!parse_real(end, value) || std::isnan(value)) {
    malformed(text, key, fmt::format("'{}' is no number", printable(trim(end))));
  }
  return value;
}

Interval parse_part(std::string_view part, std::string_view text, std::string_view key) {
  part = trim(part);
  const bool opened = !part.empty() && (part.front() == '[' || part.front() == '(');
  const bool closed = part.size() > 1 && (part.back() == ']' || part.back() == ')');
  if (!opened || !closed) malformed(text, key, "brackets are missing");
  const std::string_view inner = part.substr(1, part.size() - 2);
  if (std::count(inner.begin(), inner.end(), ',') != 1) malformed(text, key, "it needs two ends");
  const std::size_t comma = inner.find(',');
  Interval interval;
  interval.closed_low = part.front() == '[';
  interval.closed_high = part.back() == ']';
  interval.low = parse_end(inner.substr(0, comma), text, key);
  interval.high = parse_end(inner.substr(comma + 1), text, key);
  if (interval.low > interval.high) malformed(text, key, "its ends are reversed");
  return interval;
}

bool any_contains(const std::vector<Interval>& parts, double value) noexcept {
  return std::any_of(parts.begin(), parts.end(),
                     [value](const Interval& part) { return part.contains(value); });
}

}  // namespace

Intervals::Intervals(std::string_view text, std::string_view key) {
  for (const std::string& part : split(text, ';')) parts_.push_back(parse_part(part, text, key));
}

bool Intervals::contains(double value) const noexcept { return any_contains(parts_, value); }

bool Intervals::contains_all_counts() const noexcept {
  return std::any_of(parts_.begin(), parts_.end(), [](const Interval& part) {
    return part.contains(0) && part.high == std::numeric_limits<double>::infinity();
  });
}

bool ValueFilter::passes(double value) const noexcept { return any_contains(intervals, value); }

bool ValueFilter::passes(std::string_view token) const noexcept {
  return std::binary_search(allowed.begin(), allowed.end(), token);
}

ValueFilter parse_value_filter(std::string_view text) {
  constexpr std::string_view kKey = "data.value_intervals";
  ValueFilter filter;
  const std::size_t bracket = text.find_first_of("[(");
  const std::size_t in = text.find(" in ");
  if (in != std::string_view::npos && (bracket == std::string_view::npos || in < bracket)) {
    filter.column = trim(text.substr(0, in));
    for (const std::string& word : split(text.substr(in + 4), ',')) {
      filter.allowed.emplace_back(trim(word));
    }
    std::sort(filter.allowed.begin(), filter.allowed.end());
  } else if (bracket != std::string_view::npos) {
    filter.column = trim(text.substr(0, bracket));
    filter.intervals = Intervals(text.substr(bracket), kKey).parts();
  }
  if (filter.column.empty()) {
    throw ConfigError(
        fmt::format("{}: '{}' is no filter; write \"rating [3,inf)\" for a column of "
                    "numbers, \"action in view,buy\" for a column of tokens",
                    kKey, printable(text)));
  }
  return filter;
}

}  // namespace recloom
