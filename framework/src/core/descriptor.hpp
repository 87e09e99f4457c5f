#pragma once
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

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
  /// Leave the file open, to the caller.
  int release() { return std::exchange(value_, -1); }
  /// Close and tell whether what was written arrived (network file systems say so only here).
  bool close_now() { return close(release()) == 0; }

 private:
  int value_;
};

/// Throw "cannot read <file>: <reason>" as an IoError.
[[noreturn]] void fail_io(std::string_view what, const std::string& file, int error = errno);

}  // namespace recloom
