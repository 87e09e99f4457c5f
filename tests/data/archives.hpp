#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace recloom::testing {

/// A log, and what gzip and zstd made of it.
inline constexpr std::string_view kPackedText =
    "user_id:token\titem_id:token\ttimestamp:float\na\tx\t1\na\ty\t2\nb\tx\t3\nb\tz\t4\n";
inline constexpr std::string_view kGzipDigits =
    "1f8b08000000000002ff2b2d4e2d8acf4cb12ac9cf4ecde3cc2c49cd45f04a3273538b4b12730bacd272f2134bb8"
    "12392b380d816425a7115712906d0c24ab384db8004827c2b344000000";
inline constexpr std::string_view kZstdDigits =
    "28b52ffd2444210200757365725f69643a746f6b656e096974656d5f69643a746f6b656e0974696d657374616d70"
    "3a666c6f61740a61097809310a61097909320a62097809330a62097a09340afcb603c6";

inline std::string bytes_of_digits(std::string_view digits) {
  std::string bytes;
  for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(digits.substr(at, 2)), nullptr, 16)));
  }
  return bytes;
}

}  // namespace recloom::testing
