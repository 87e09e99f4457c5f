#pragma once
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

namespace recloom {

/// An open file of the operating system; negative: none.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }
  /// Close and tell whether what was written arrived (network file systems say so only here).
  bool close_now() {
    const int value = value_;
    value_ = -1;
    return close(value) == 0;
  }

 private:
  int value_;
};

/// Throw "cannot read <file>: <reason>" as an IoError.
[[noreturn]] void fail_io(std::string_view what, const std::string& file, int error = errno);

}  // namespace recloom
