#include "data/raw_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "core/text.hpp"
#include "data/held_copies.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 18;
constexpr int kPollMilliseconds = 100;

[[noreturn]] void fail(std::string_view what, const std::string& name, int error) {
  throw IoError(fmt::format("{} '{}': {}", what, name, std::generic_category().message(error)));
}

/// Open without waiting: a pipe that nobody writes to would hold the program, deaf to signals.
int open_file(const std::string& file, const std::string& name) {
  if (const int held = open_held(file); held >= 0) return held;
  if (file == kStandardInput) {
    const int copy = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) fail("cannot read", name, errno);
    return copy;
  }
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor >= 0) return descriptor;
  const int error = errno;
  struct stat status {};
  if (error == ENXIO && ::stat(file.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
    throw IoError(fmt::format("cannot read '{}': it is a socket", name));
  }
  fail("cannot open", name, error);
}

}  // namespace

std::string shown_name(const std::string& file) {
  return file == kStandardInput ? "standard input" : printable(file, 400);
}

RawFile::RawFile(const std::string& file, const RunContext& run)
    : name_(shown_name(file)),
      run_(run),
      descriptor_(open_file(file, name_)),
      buffer_(kBufferBytes) {
  if (::fstat(descriptor_.get(), &status_) != 0) fail("cannot open", name_, errno);
  if (S_ISDIR(status_.st_mode))
    throw IoError(fmt::format("cannot read '{}': it is a folder", name_));
}

std::int64_t RawFile::size() const noexcept {
  return S_ISREG(status_.st_mode) ? std::int64_t{status_.st_size} : n_read_;
}

std::string_view RawFile::peek(std::size_t least) {
  if (end_ - begin_ < least) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  while (end_ - begin_ < least) {
    const std::size_t count = read_some(buffer_.data() + end_, buffer_.size() - end_);
    if (count == 0) break;
    end_ += count;
  }
  return {buffer_.data() + begin_, end_ - begin_};
}

std::size_t RawFile::read(std::span<char> into) {
  std::size_t done = std::min(into.size(), end_ - begin_);
  std::memcpy(into.data(), buffer_.data() + begin_, done);
  begin_ += done;
  while (done < into.size()) {
    const std::size_t count = read_some(into.data() + done, into.size() - done);
    if (count == 0) break;
    done += count;
  }
  return done;
}

std::size_t RawFile::read_some(char* into, std::size_t size) {
  for (;;) {
    run_.check_stop();
    if (!S_ISREG(status_.st_mode)) wait_for_bytes();
    const ssize_t count = ::read(descriptor_.get(), into, size);
    if (count > 0) {
      n_read_ += count;
      return static_cast<std::size_t>(count);
    }
    if (count == 0) {
      check_unchanged();
      return 0;
    }
    if (errno != EINTR && errno != EAGAIN) fail("cannot read", name_, errno);
  }
}

// A pipe that had no writer yet is neither readable nor at its end, which only poll() tells.
void RawFile::wait_for_bytes() const {
  pollfd wanted{descriptor_.get(), POLLIN, 0};
  for (;;) {
    const int ready = ::poll(&wanted, 1, kPollMilliseconds);
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) fail("cannot read", name_, errno);
    run_.check_stop();
  }
}

void RawFile::check_unchanged() const {
  if (!S_ISREG(status_.st_mode)) return;
  struct stat now {};
  if (::fstat(descriptor_.get(), &now) != 0) fail("cannot read", name_, errno);
  if (now.st_size == status_.st_size && now.st_mtim.tv_sec == status_.st_mtim.tv_sec &&
      now.st_mtim.tv_nsec == status_.st_mtim.tv_nsec) {
    return;
  }
  throw DataError(
      fmt::format("{}: the file changed while it was read ({} bytes before, {} now); read a copy "
                  "that nobody writes to",
                  name_, std::int64_t{status_.st_size}, std::int64_t{now.st_size}));
}

}  // namespace recloom
