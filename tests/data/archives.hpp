#pragma once
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

/// A zstd frame of runs of one byte, and of bytes as they are, after RFC 8878. @param window_log
/// the memory that it asks for, 2^window_log bytes.
class ZstdFrame {
 public:
  explicit ZstdFrame(int window_log) : bytes_("\x28\xb5\x2f\xfd\0", 5) {
    bytes_ += static_cast<char>((window_log - 10) << 3);
  }
  void add_run(char byte, std::size_t count) {
    for (std::size_t size = 0; count > 0; count -= size) {
      size = std::min(count, kMostInABlock);
      add_header(kRun, size, false);
      bytes_ += byte;
    }
  }
  void add_text(std::string_view text) {
    add_header(kRaw, text.size(), false);
    bytes_ += text;
  }
  std::string finish() {
    add_header(kRaw, 0, true);
    return bytes_;
  }

 private:
  static constexpr std::size_t kMostInABlock = std::size_t{1} << 17, kRaw = 0, kRun = 1;
  void add_header(std::size_t type, std::size_t size, bool last) {
    const std::size_t header = size << 3 | type << 1 | (last ? 1 : 0);
    for (int byte = 0; byte < 3; ++byte) bytes_ += static_cast<char>(header >> (8 * byte) & 0xFF);
  }
  std::string bytes_;
};

inline std::string zstd_frame(const std::vector<std::pair<char, std::size_t>>& runs,
                              int window_log = 20) {
  ZstdFrame frame(window_log);
  for (const auto& [byte, count] : runs) frame.add_run(byte, count);
  return frame.finish();
}
inline std::string zstd_text(std::string_view text) {
  ZstdFrame frame(20);
  frame.add_text(text);
  return frame.finish();
}

}  // namespace recloom::testing
