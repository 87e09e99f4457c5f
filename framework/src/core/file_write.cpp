// Writing files: temporary file, fsync, rename.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "core/file.hpp"
#include "core/file_lock.hpp"
#include "core/hash.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;

using Write = std::function<void(const std::function<void(std::string_view)>& append)>;
using Head = std::function<std::string()>;

constexpr const char* kCannot = "cannot write";
constexpr std::string_view kTemporary = ".tmp";

/// Holds back the signal that a file beyond the size limit raises, which ends a process: write()
/// then fails with EFBIG, an error like any other.
class NoSizeSignal {
 public:
  NoSizeSignal() {
    sigemptyset(&size_signal_);
    sigaddset(&size_signal_, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &size_signal_, &before_);
  }
  ~NoSizeSignal() {
    constexpr timespec kNow{};
    while (sigtimedwait(&size_signal_, nullptr, &kNow) == SIGXFSZ) continue;
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSizeSignal(const NoSizeSignal&) = delete;
  NoSizeSignal& operator=(const NoSizeSignal&) = delete;

 private:
  sigset_t size_signal_{}, before_{};
};

void write_all(int descriptor, std::string_view bytes, const std::string& file) {
  const NoSizeSignal held_back;
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_io(kCannot, file);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// Collects small pieces into large writes.
class Appender {
 public:
  Appender(int descriptor, const std::string& file) : descriptor_(descriptor), file_(file) {}
  void operator()(std::string_view bytes) {
    if (pending_.size() + bytes.size() > kPiece) flush();
    if (bytes.size() > kPiece)
      write_all(descriptor_, bytes, file_);
    else
      pending_ += bytes;
  }
  void flush() {
    write_all(descriptor_, pending_, file_);
    pending_.clear();
  }

 private:
  static constexpr std::size_t kPiece = 1 << 20;
  int descriptor_;
  const std::string& file_;
  std::string pending_;
};

void write_into(int descriptor, const std::string& file, const Write& write) {
  Appender appender(descriptor, file);
  write([&appender](std::string_view bytes) { appender(bytes); });
  appender.flush();
}

bool sync_failed(int descriptor) {
  return fsync(descriptor) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS;
}

void sync_folder(const std::string& folder) {
  const Descriptor descriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0) return;  // A folder that may be written but not read: nothing to sync.
  if (sync_failed(descriptor.get())) fail_io(kCannot, folder);
}

using Status = std::optional<struct stat>;

Status status_of(const std::string& file, bool follow) {
  struct stat status {};
  const int result = follow ? stat(file.c_str(), &status) : lstat(file.c_str(), &status);
  return result == 0 ? Status(status) : std::nullopt;
}

/// Links below /proc (/dev/stdout is one) point to open files, whatever name they show.
bool points_to_open_file(const fs::path& link) {
  std::error_code error;
  return fs::canonical(link.parent_path(), error).string().starts_with("/proc/");
}

/// Follow symbolic links to what they point to, whether that is there or not.
std::string behind_links(const std::string& file) {
  constexpr int kMostLinks = 40;  // As many as Linux follows.
  fs::path path = file;
  for (int link = 0; link < kMostLinks; ++link) {
    const Status status = status_of(path.string(), false);
    if (!status || !S_ISLNK(status->st_mode) || points_to_open_file(path)) return path.string();
    std::error_code error;
    const fs::path target = fs::read_symlink(path, error);
    if (error) fail_io(kCannot, file, error.value());
    path = target.is_absolute() ? target : path.parent_path() / target;
  }
  fail_io(kCannot, file, ELOOP);
}

/// What stands for a file in the names of its temporaries: names may be as long as a name can be.
std::string temporary_stem(std::string_view file) {
  constexpr std::size_t kLongest = 100;
  return fmt::format(".{}.recloom-",
                     file.size() > kLongest ? hex(hash64(file)) : std::string(file));
}

std::string temporary_name(const std::string& file) {
  static std::atomic<unsigned> serial{0};
  const fs::path path(file);
  return (path.parent_path() / fmt::format("{}{}-{}{}", temporary_stem(path.filename().string()),
                                           getpid(), ++serial, kTemporary))
      .string();
}

/// Give a new file owner and mode of the one that it replaces, as far as that is permitted.
void take_over(int descriptor, const struct stat& old) {
  mode_t mode = old.st_mode & ACCESSPERMS;
  const bool same_group = fchown(descriptor, old.st_uid, old.st_gid) == 0 ||
                          fchown(descriptor, static_cast<uid_t>(-1), old.st_gid) == 0;
  // What the old group was allowed is not for another one.
  if (!same_group) mode &= static_cast<mode_t>(~S_IRWXG);
  fchmod(descriptor, mode);
}

/// Write over the first bytes of a file.
void write_head(int descriptor, std::string_view bytes, const std::string& file) {
  if (lseek(descriptor, 0, SEEK_SET) != 0) fail_io(kCannot, file);
  write_all(descriptor, bytes, file);
}

/// Make a new file beside the one that it will replace. It is locked as long as it is open: what is
/// not has been left behind by a process that was killed. @return its descriptor. @param name set.
int make_temporary(const std::string& file, const std::string& target, mode_t mode,
                   std::string& name) {
  for (;;) {
    name = temporary_name(target);
    Descriptor made(open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (made.get() < 0 && errno == EEXIST) continue;
    if (made.get() < 0) fail_io(kCannot, file);
    const int error = lock_file(made.get());
    // Somebody may take it for left behind before it is locked. Where nobody can lock, nobody does.
    if (error == EAGAIN || (error == 0 && !is_named(made.get(), name))) continue;
    return made.release();
  }
}

/// Remove what killed writers of the same file have left beside it.
void remove_left_behind(const fs::path& target) {
  const std::string folder = target.parent_path().string(), file = target.filename().string();
  std::error_code error;
  for (fs::directory_iterator entry(folder.empty() ? "." : folder, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().string();
    if (!is_leftover_of(entry->path().filename().string(), file)) continue;
    const Descriptor opened(open(name.c_str(), O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    if (opened.get() >= 0 && lock_file(opened.get()) == 0 && is_named(opened.get(), name))
      unlink(name.c_str());
  }
}

void replace_file(const std::string& file, const std::string& target, const Status& old,
                  const Write& write, const Head& head) {
  remove_left_behind(target);
  std::string temporary;
  Descriptor descriptor(make_temporary(file, target, old ? S_IRUSR | S_IWUSR : 0666, temporary));
  const int opened = descriptor.get();
  try {
    write_into(opened, file, write);
    if (head) write_head(opened, head(), file);
    if (old) take_over(opened, *old);
    if (sync_failed(opened)) fail_io(kCannot, file);
    // Closed to hear what it says, and locked until it has its name.
    const Descriptor lock(fcntl(opened, F_DUPFD_CLOEXEC, 0));
    if (!descriptor.close_now()) fail_io(kCannot, file);
    if (rename(temporary.c_str(), target.c_str()) != 0) fail_io(kCannot, file);
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
  const std::string folder = fs::path(target).parent_path().string();
  sync_folder(folder.empty() ? "." : folder);
}

/// Pipes, devices and what standard output is (/dev/stdout) are not replaced, but written to.
void write_through(const std::string& file, const Write& write) {
  const Descriptor descriptor(open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (descriptor.get() < 0) fail_io(kCannot, file);
  write_into(descriptor.get(), file, write);
}

}  // namespace

void write_file_atomically(const std::string& file, const Write& write) {
  write_file_atomically(file, write, Head());
}

bool is_written_through(const std::string& file) {
  const Status now = status_of(file, true);
  if (!now || S_ISDIR(now->st_mode)) return false;
  return !S_ISREG(now->st_mode) || fs::is_symlink(behind_links(file));
}

void write_file_atomically(const std::string& file, const Write& write, const Head& head) {
  const Status old = status_of(file, true);
  if (!old) return replace_file(file, behind_links(file), old, write, head);
  if (S_ISDIR(old->st_mode)) fail_io(kCannot, file, EISDIR);
  if (is_written_through(file)) {
    if (head) fail_io(kCannot, file, ESPIPE);
    return write_through(file, write);
  }
  const std::string target = behind_links(file);
  if (faccessat(AT_FDCWD, target.c_str(), W_OK, AT_EACCESS) != 0) fail_io(kCannot, file);
  replace_file(file, target, old, write, head);
}

void write_file_atomically(const std::string& file, std::string_view bytes) {
  write_file_atomically(file, [bytes](const auto& append) { append(bytes); });
}

bool is_leftover_of(std::string_view name, std::string_view file) {
  const std::string stem = temporary_stem(file);
  if (!name.starts_with(stem) || !name.ends_with(kTemporary)) return false;
  if (name.size() <= stem.size() + kTemporary.size()) return false;
  const std::string_view numbers =
      name.substr(stem.size(), name.size() - stem.size() - kTemporary.size());
  return numbers.find_first_not_of("0123456789-") == std::string_view::npos &&
         std::ranges::count(numbers, '-') == 1 && numbers.front() != '-' && numbers.back() != '-';
}

}  // namespace recloom
