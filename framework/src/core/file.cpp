#include "core/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "core/text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(std::string_view what, const std::string& file, int error = errno) {
  throw IoError(
      fmt::format("{} {}: {}", what, printable(file, 400), std::generic_category().message(error)));
}

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

void write_all(int descriptor, std::string_view bytes, const std::string& file) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write", file);
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

using Write = std::function<void(const std::function<void(std::string_view)>& append)>;

void write_into(int descriptor, const std::string& file, const Write& write) {
  Appender appender(descriptor, file);
  write([&appender](std::string_view bytes) { appender(bytes); });
  appender.flush();
}

// Pipes and terminals cannot be replaced by a file, only written to.
bool is_special(const std::string& file) {
  struct stat status {};
  return stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

bool sync_failed(int descriptor) {
  return fsync(descriptor) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS;
}

void sync_folder(const std::string& folder) {
  const Descriptor descriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0) return;  // A folder that may be written but not read: nothing to sync.
  if (sync_failed(descriptor.get())) fail("cannot write", folder);
}

std::string temporary_name(const std::string& file) {
  static std::atomic<unsigned> serial{0};
  const fs::path path(file);
  return (path.parent_path() /
          fmt::format(".{}.{}-{}.tmp", path.filename().string(), getpid(), ++serial))
      .string();
}

void replace_file(const std::string& file, const Write& write) {
  std::string temporary;
  int opened = -1;
  do {
    temporary = temporary_name(file);
    opened = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (opened < 0 && errno == EEXIST);
  if (opened < 0) fail("cannot write", file);
  Descriptor descriptor(opened);
  try {
    write_into(opened, file, write);
    if (sync_failed(opened)) fail("cannot write", file);
    if (!descriptor.close_now()) fail("cannot write", file);
    if (rename(temporary.c_str(), file.c_str()) != 0) fail("cannot write", file);
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
  const std::string folder = fs::path(file).parent_path().string();
  sync_folder(folder.empty() ? "." : folder);
}

struct stat status_of(int descriptor, const std::string& file) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) fail("cannot open", file);
  if (S_ISDIR(status.st_mode)) fail("cannot open", file, EISDIR);
  return status;
}

}  // namespace

void write_file_atomically(const std::string& file, const Write& write) {
  if (!is_special(file)) return replace_file(file, write);
  const Descriptor descriptor(open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (descriptor.get() < 0) fail("cannot write", file);
  write_into(descriptor.get(), file, write);
}

void write_file_atomically(const std::string& file, std::string_view bytes) {
  write_file_atomically(file, [bytes](const auto& append) { append(bytes); });
}

std::string read_file(const std::string& file) {
  const Descriptor descriptor(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) fail("cannot open", file);
  const struct stat status = status_of(descriptor.get(), file);
  std::string content;
  std::size_t filled = 0;
  while (true) {
    const std::size_t hint = static_cast<std::size_t>(status.st_size) + 1;
    if (filled == content.size()) content.resize(std::max(hint, filled + (1 << 16)));
    const ssize_t count = read(descriptor.get(), content.data() + filled, content.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("cannot read", file);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  content.resize(filled);
  return content;
}

void make_folders(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error && !fs::is_directory(folder, error) && !error)
    error = std::make_error_code(std::errc::not_a_directory);
  if (error) fail("cannot make folder", folder, error.value());
}

MappedFile::MappedFile(const std::string& file) {
  const Descriptor descriptor(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) fail("cannot open", file);
  const struct stat status = status_of(descriptor.get(), file);
  if (!S_ISREG(status.st_mode))
    throw IoError(fmt::format("cannot open {}: no regular file", printable(file, 400)));
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) return;
  void* address = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
  if (address == MAP_FAILED) fail("cannot map", file);
  data_ = static_cast<const char*>(address);
}

MappedFile::~MappedFile() {
  if (data_) munmap(const_cast<char*>(data_), size_);
}

}  // namespace recloom
