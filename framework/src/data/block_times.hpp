#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "data/cells.hpp"
#include "data/growing_array.hpp"
#include "data/time_format.hpp"
#include "data/time_key.hpp"
#include "recloom/core/export.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

/// Return how many decimals of a second whole numbers of this unit have.
inline int decimals_of(TimeUnit unit) noexcept { return 3 * static_cast<int>(unit); }

/// How the times of a file are written, as far as its cells tell: a set of these.
struct TimeKinds {
  bool integers = false, decimals = false, dates = false;
  bool large = false;  ///< Numbers that are hardly Unix seconds: 1e11 and more, or 20090504.

  void add(const TimeKinds& other) noexcept;
  /// Dates are Unix seconds; of large numbers beside them nobody knows what they are.
  bool clash() const noexcept { return dates && large; }
};

/// What is said of a line that is the header, but not the first.
inline constexpr std::string_view kHeaderAgain =
    "the header once more (two files joined?); leave this line out";

/// How the time column of a file is to be read.
struct TimeRules {
  std::string column;  ///< For messages.
  MissingTime missing = MissingTime::error;
  int unit = 0;         ///< How many decimals a whole number has: 3 for milliseconds.
  bool real = false;    ///< Keys are those of doubles, see TimeScale.
  std::string pattern;  ///< data.time_format.
  int decimals = 0;     ///< That keys have at least.
  int most_decimals = DecimalTime::kMostDecimals;
  bool allow_dates = true, allow_large = true;

  /// @param options validated.
  static TimeRules of(const DataOptions& options);
  TimeScale scale() const noexcept { return {real ? unit : decimals, real}; }
};

/// The times of a block of rows, as keys of one scale.
class RECLOOM_API BlockTimes {
 public:
  /// Forget everything.
  void clear(const TimeRules& rules);
  /// Turn a cell into a key. If it has more decimals than all before, their keys change.
  /// @return false if it is no time; then error() says why.
  bool read(std::string_view cell, std::int64_t& key) {
    if (!plain_ || !parse_digits(cell, key) || key >= least_large_ || is_day(key))
      return read_other(cell, key);
    kinds_.integers = true;
    return true;
  }
  const std::string& error() const noexcept { return error_; }
  void push_back(std::int64_t key) { keys_.push_back(key); }
  /// Give the keys more decimals. @return false if they do not fit; then they are lost.
  bool rescale(int decimals);

  std::span<const std::int64_t> keys() const noexcept { return keys_.view(); }
  int decimals() const noexcept { return decimals_; }
  const TimeKinds& kinds() const noexcept { return kinds_; }

 private:
  /// Whether digits may be a date without marks, "20090504".
  static bool is_day(std::int64_t number) noexcept {
    constexpr std::int64_t kFirst = 19000101, kLast = 21001231;
    return number >= kFirst && number <= kLast;
  }
  bool read_other(std::string_view cell, std::int64_t& key);
  bool read_missing(std::int64_t& key);
  bool take_real(std::string_view cell, double value, std::int64_t& key);
  bool take_large(std::string_view cell);
  bool read_formatted(std::string_view cell, DecimalTime& time);
  bool read_unformatted(std::string_view cell, DecimalTime& time);
  bool check_number(std::string_view cell, TimeText result, const DecimalTime& number);
  bool check_date(std::string_view cell, TimeText result);
  bool fit(std::string_view cell, const DecimalTime& time, std::int64_t& key);
  bool fail(std::string error);
  bool fail_unknown(std::string_view cell);
  bool is_name(std::string_view cell) const;  ///< Of the column.
  void note_decimals(int decimals) noexcept;

  TimeRules rules_;
  std::optional<TimeFormat> format_;
  GrowingArray<std::int64_t> keys_;
  int decimals_ = 0;
  TimeKinds kinds_;
  // A cell of digits alone is its own key, unless it is large.
  bool plain_ = false;
  std::int64_t least_large_ = 0;
  std::string error_;
};

/// Give keys more decimals: multiply them by 10^more. @return false if one does not fit.
bool rescale_times(std::span<std::int64_t> keys, int more) noexcept;

/// Say for people what times a log has: "integers, as seconds".
RECLOOM_API std::string describe_times(const TimeKinds& kinds, const DataOptions& options);

}  // namespace recloom
