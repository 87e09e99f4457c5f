#include "cli/line_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

namespace recloom::cli {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 16;
constexpr std::size_t kMostLine = std::size_t{64} << 20;
constexpr int kPatience = 100;  ///< Milliseconds until a stop request is looked for again.
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

[[noreturn]] void fail(const char* what, const std::string& name) {
  throw IoError(
      fmt::format("cannot {} {}: {}", what, name, std::generic_category().message(errno)));
}

}  // namespace

LineReader::LineReader(const std::string& file, const RunContext& run)
    : run_(run),
      name_(file == "-" ? "standard input" : file),
      descriptor_(file == "-" ? STDIN_FILENO
                              : open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (descriptor_ < 0) fail("open", name_);
}

LineReader::~LineReader() {
  if (descriptor_ != STDIN_FILENO) close(descriptor_);
}

std::string LineReader::place() const { return fmt::format("{}:{}", name_, lines_); }

bool LineReader::next(std::string& line) {
  line.clear();
  while (true) {
    const std::size_t end = buffer_.find('\n', at_);
    line.append(buffer_, at_, end == std::string::npos ? end : end - at_);
    at_ = end == std::string::npos ? buffer_.size() : end + 1;
    if (line.size() > kMostLine)
      throw DataError(
          fmt::format("{}:{}: the line is longer than {} MiB", name_, lines_ + 1, kMostLine >> 20));
    if (end != std::string::npos) break;
    if (!fill()) {
      if (line.empty()) return false;
      break;
    }
  }
  if (++lines_ == 1 && line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (line.find('\0') != std::string::npos)
    throw DataError(place() + ": binary data; expected lines of text");
  return true;
}

// A read that waits (a pipe, a terminal) would not hear a stop request.
bool LineReader::fill() {
  at_ = 0;
  buffer_.resize(kBlock);
  while (true) {
    run_.check_stop();
    pollfd waiting{descriptor_, POLLIN, 0};
    const int ready = poll(&waiting, 1, kPatience);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t count = read(descriptor_, buffer_.data(), kBlock);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) fail("read", name_);
    buffer_.resize(static_cast<std::size_t>(count));
    return count > 0;
  }
}

}  // namespace recloom::cli
