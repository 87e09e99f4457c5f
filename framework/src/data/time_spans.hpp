#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "data/time_key.hpp"
#include "recloom/core/export.hpp"

namespace recloom {

/// Lengths of time beside the time keys of a log (time_key.hpp).
class RECLOOM_API TimeSpan {
 public:
  /// @param seconds not negative; taken for the decimal number that it is written as.
  TimeSpan(double seconds, const TimeScale& scale);
  /// Do two times lie further apart than this?
  bool is_shorter_than(std::int64_t earlier, std::int64_t later) const noexcept;
  /// Return the least key of those that lie before `last` by no more than this.
  std::int64_t first_key_before(std::int64_t last) const noexcept;

 private:
  double units_;  // For keys of doubles, which count units of 10^-decimals seconds.
  bool real_;
  std::int64_t keys_;  // floor(seconds * 10^decimals), at most 2^63 - 1.
};

/// A setting that counts seconds wants times that are seconds.
/// @param latest the largest key. @param setting the key, for the message.
/// @throws ConfigError the times reach beyond the year 5000, so that they are likely to be finer.
RECLOOM_API void require_seconds(std::int64_t latest, const TimeScale& scale,
                                 std::string_view setting);

}  // namespace recloom
