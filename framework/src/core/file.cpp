#include "core/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <system_error>

#include "core/text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

struct stat status_of(int descriptor, const std::string& file) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) fail_io("cannot open", file);
  return status;
}

}  // namespace

void fail_io(std::string_view what, const std::string& file, int error) {
  throw IoError(
      fmt::format("{} {}: {}", what, printable(file, 400), std::generic_category().message(error)));
}

// Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
InputFile::InputFile(const std::string& file)
    : name_(file), descriptor_(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
  if (descriptor_.get() < 0) fail_io("cannot open", file);
  const struct stat status = status_of(descriptor_.get(), file);
  if (S_ISDIR(status.st_mode)) fail_io("cannot open", file, EISDIR);
  if (!S_ISREG(status.st_mode))
    throw IoError(fmt::format("cannot open {}: no regular file", printable(file, 400)));
  size_ = static_cast<std::uint64_t>(status.st_size);
  written_ = status.st_mtim;
}

std::size_t InputFile::read_some(std::uint64_t from, std::span<char> into) const {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const ssize_t count = pread(descriptor_.get(), into.data() + filled, into.size() - filled,
                                static_cast<off_t>(from + filled));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_io("cannot read", name_);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  return filled;
}

void InputFile::read(std::uint64_t from, std::span<char> into) const {
  if (read_some(from, into) == into.size()) return;
  throw IoError(
      fmt::format("cannot read {}: it became shorter while it was read", printable(name_, 400)));
}

void InputFile::require_unchanged() const {
  const struct stat now = status_of(descriptor_.get(), name_);
  if (static_cast<std::uint64_t>(now.st_size) != size_ || now.st_mtim.tv_sec != written_.tv_sec ||
      now.st_mtim.tv_nsec != written_.tv_nsec)
    throw IoError(
        fmt::format("cannot read {}: it changed while it was read", printable(name_, 400)));
}

// Files of /proc say that they have no bytes, so the end is where reading stops.
std::string read_file(const std::string& file, std::size_t limit) {
  const InputFile input(file);
  const auto require_short = [&](std::uint64_t size) {
    if (size > limit)
      throw IoError(
          fmt::format("cannot read {}: it has more than {} bytes", printable(file, 400), limit));
  };
  require_short(input.size());
  std::string content;
  std::size_t filled = 0;
  while (filled == content.size()) {
    content.resize(std::max<std::size_t>(input.size() + 1, filled + (1 << 16)));
    filled += input.read_some(filled, std::span(content).subspan(filled));
    require_short(filled);
  }
  content.resize(filled);
  if (input.size() > 0) input.require_unchanged();
  return content;
}

}  // namespace recloom
