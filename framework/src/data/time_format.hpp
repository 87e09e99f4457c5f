#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/time_text.hpp"
#include "recloom/core/export.hpp"

namespace recloom {

/// Reads times by a pattern such as "%d.%m.%Y %H:%M" (data.time_format). Not for several threads.
class RECLOOM_API TimeFormat {
 public:
  /// @param pattern one that problem_of() finds nothing wrong with.
  explicit TimeFormat(std::string_view pattern);
  ~TimeFormat();
  /// Read all of a text. No offset from UTC is UTC; :60 and 24:00 are as in read_date().
  TimeText read(std::string_view text, DecimalTime& time);

  /// Return what is wrong with a pattern, or "".
  static std::string problem_of(std::string_view pattern);
  /// Return patterns, two at most, that read this text, likely ones first.
  static std::vector<std::string> fitting(std::string_view text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace recloom
