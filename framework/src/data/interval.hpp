#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "recloom/core/export.hpp"

namespace recloom {

/// One piece of the number line.
struct Interval {
  bool closed_low = true, closed_high = true;
  double low = 0, high = 0;
  bool contains(double value) const noexcept {
    return (closed_low ? value >= low : value > low) &&
           (closed_high ? value <= high : value < high);
  }
};

/// A union of intervals, written "[1,3);[5,inf)". NaN is inside of none.
class RECLOOM_API Intervals {
 public:
  /// @param key what the message of an error names. @throws ConfigError malformed or reversed.
  Intervals(std::string_view text, std::string_view key);
  bool contains(double value) const noexcept;
  /// Contains every value from 0 on: as a bound on counts it filters nothing.
  bool contains_all_counts() const noexcept;
  const std::vector<Interval>& parts() const noexcept { return parts_; }

 private:
  std::vector<Interval> parts_;
};

/// Which values of a column let a row pass: numbers in an interval, or a list of tokens.
struct RECLOOM_API ValueFilter {
  std::string column;
  std::vector<Interval> intervals;   ///< Of a column of numbers.
  std::vector<std::string> allowed;  ///< Of a column of tokens; sorted.
  bool is_list() const noexcept { return !allowed.empty(); }
  bool passes(double value) const noexcept;
  bool passes(std::string_view token) const noexcept;
};

/// Parse "rating [3,inf)" or "action in view,buy". @throws ConfigError.
RECLOOM_API ValueFilter parse_value_filter(std::string_view text);

}  // namespace recloom
