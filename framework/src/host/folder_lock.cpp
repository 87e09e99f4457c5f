#include "host/folder_lock.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "core/descriptor.hpp"
#include "core/file_lock.hpp"
#include "core/text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

std::string file_in(const std::string& folder) {
  return fmt::format("{}/{}", folder, FolderLock::kFile);
}

int open_again(const std::string& file, int flags) {
  int opened = -1;
  do opened = open(file.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0666);
  while (opened < 0 && errno == EINTR);
  return opened;
}

[[noreturn]] void fail(const std::string& folder, int error) {
  throw IoError(fmt::format("run folder {}: cannot lock it: {}; name another folder by --run-dir",
                            printable(folder, 400), std::generic_category().message(error)));
}

/// What the holder wrote about itself: it does so a moment after it has the lock.
std::string holder(int descriptor) {
  char text[512];
  for (int attempt = 0; attempt < 100; ++attempt) {
    const ssize_t count = pread(descriptor, text, sizeof text, 0);
    const std::string_view line(text, count > 0 ? static_cast<std::size_t>(count) : 0);
    if (const std::size_t end = line.find('\n'); end != std::string_view::npos)
      return printable(line.substr(0, end), 400);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return "another process";
}

[[noreturn]] void refuse(const std::string& folder, int descriptor) {
  throw IoError(
      fmt::format("run folder {}: in use by {}; wait for its end or name another folder by "
                  "--run-dir",
                  printable(folder, 400), holder(descriptor)));
}

}  // namespace

std::optional<FolderLock> FolderLock::take(const std::string& folder) {
  const std::string file = file_in(folder);
  for (;;) {
    Descriptor opened(open_again(file, O_RDWR | O_CREAT));
    if (opened.get() < 0 && errno == ENOENT) return std::nullopt;
    if (opened.get() < 0) fail(folder, errno);
    const int error = lock_file(opened.get());
    if (error == EAGAIN) refuse(folder, opened.get());
    if (error != 0) fail(folder, error);
    if (!is_named(opened.get(), file)) continue;  // Its last holder removed it: a new one.
    FolderLock lock(opened.release(), file);
    lock.write_holder();
    return lock;
  }
}

void FolderLock::check_free(const std::string& folder) {
  const Descriptor opened(open_again(file_in(folder), O_RDONLY | O_NONBLOCK));
  if (opened.get() >= 0 && is_locked(opened.get())) refuse(folder, opened.get());
}

FolderLock::FolderLock(int descriptor, std::string file)
    : descriptor_(descriptor), file_(std::move(file)) {}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), file_(std::move(other.file_)) {}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(file_, other.file_);
  return *this;
}

// Removed while it is still locked: whoever opened it before finds out that it has no name.
FolderLock::~FolderLock() {
  if (descriptor_ < 0) return;
  unlink(file_.c_str());
  close(descriptor_);
}

/// For people; a full disk only costs the refused a name.
void FolderLock::write_holder() const {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const std::string line = fmt::format("process {} on {} since {:%Y-%m-%d %H:%M:%S} UTC\n",
                                       getpid(), host, fmt::gmtime(now));
  if (ftruncate(descriptor_, 0) == 0) [[maybe_unused]]
    const ssize_t written = pwrite(descriptor_, line.data(), line.size(), 0);
}

}  // namespace recloom
