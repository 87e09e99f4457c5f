#include "core/file_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace recloom {
namespace {

/// A lock of the open file, not of the process: two holders in one process exclude each other, and
/// closing another descriptor of the file drops nothing.
struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

int lock_file(int descriptor) noexcept {
  struct flock lock = whole_file();
  int result = 0;
  do result = fcntl(descriptor, F_OFD_SETLK, &lock);
  while (result != 0 && errno == EINTR);
  if (result == 0) return 0;
  return errno == EACCES ? EAGAIN : errno;
}

bool is_locked(int descriptor) noexcept {
  struct flock lock = whole_file();
  return fcntl(descriptor, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool is_named(int descriptor, const std::string& file) noexcept {
  struct stat own {
  }, named{};
  return fstat(descriptor, &own) == 0 && stat(file.c_str(), &named) == 0 &&
         own.st_dev == named.st_dev && own.st_ino == named.st_ino;
}

}  // namespace recloom
