#include "host/line_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "core/text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 17;
constexpr std::size_t kMostLine = std::size_t{64} << 20;
constexpr int kPatience = 100;  ///< Milliseconds until a stop request is looked for again.
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

[[noreturn]] void fail(const char* what, const std::string& name) {
  throw IoError(
      fmt::format("cannot {} {}: {}", what, name, std::generic_category().message(errno)));
}

bool is_packed(const std::string& file) { return file.ends_with(".gz") || file.ends_with(".zst"); }

}  // namespace

bool is_pipe(const std::string& file) {
  struct stat status {};
  if (file == "-") return true;
  return stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

LineReader::LineReader(const std::string& file, const RunContext& run)
    : run_(run), name_(file == "-" ? "standard input" : printable(file, 400)) {
  if (file == "-") {
    descriptor_ = STDIN_FILENO;
  } else if (is_pipe(file)) {
    descriptor_ = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor_ < 0) fail("open", name_);
  } else {
    stream_ = open_stream(file, run);
    struct stat status {};
    if (!is_packed(file) && stat(file.c_str(), &status) == 0) size_ = status.st_size;
  }
}

LineReader::~LineReader() {
  if (descriptor_ > STDIN_FILENO) close(descriptor_);
}

std::string LineReader::place() const { return fmt::format("{}:{}", name_, lines_); }

double LineReader::share() const noexcept {
  if (size_ <= 0) return -1;
  return std::min(1.0, static_cast<double>(taken_) / static_cast<double>(size_));
}

bool LineReader::next(std::string& line) {
  std::size_t end = std::string::npos, seen = 0;
  while ((end = buffer_.find('\n', at_ + seen)) == std::string::npos && !ended_) {
    seen = buffer_.size() - at_;
    check_length(seen);
    fill();
  }
  if (end == std::string::npos && at_ == buffer_.size()) return false;
  line.assign(buffer_, at_, end == std::string::npos ? end : end - at_);
  check_length(line.size());
  const std::size_t after = end == std::string::npos ? buffer_.size() : end + 1;
  taken_ += static_cast<std::int64_t>(after - at_);
  at_ = after;
  if (++lines_ == 1 && line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (line.find('\0') != std::string::npos)
    throw DataError(place() + ": binary data; expected lines of text");
  return true;
}

bool LineReader::ready() {
  if (stream_) return true;
  while (buffer_.find('\n', at_) == std::string::npos && !ended_) {
    pollfd waiting{descriptor_, POLLIN, 0};
    if (poll(&waiting, 1, 0) <= 0) return false;
    check_length(buffer_.size() - at_);
    fill();
  }
  return true;
}

void LineReader::check_length(std::size_t length) const {
  if (length <= kMostLine) return;
  throw DataError(
      fmt::format("{}:{}: the line is longer than {} MiB", name_, lines_ + 1, kMostLine >> 20));
}

void LineReader::fill() {
  buffer_.erase(0, at_);
  at_ = 0;
  const std::size_t before = buffer_.size();
  buffer_.resize(before + kBlock);
  std::size_t count = 0;
  if (stream_)
    count = stream_->read(std::span(buffer_.data() + before, kBlock));
  else
    count = read_descriptor(buffer_.data() + before);
  buffer_.resize(before + count);
  ended_ = count == 0;
}

// A read that waits (a pipe, a terminal) would not hear a stop request.
std::size_t LineReader::read_descriptor(char* into) {
  while (true) {
    run_.check_stop();
    pollfd waiting{descriptor_, POLLIN, 0};
    const int ready = poll(&waiting, 1, kPatience);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t count = read(descriptor_, into, kBlock);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) fail("read", name_);
    return static_cast<std::size_t>(count);
  }
}

}  // namespace recloom
