// Loaded by LD_PRELOAD into the program under test: sends it a signal before or after its n-th call
// of a kind, so that a test can end or hold a run at every single point. It acts in the process it
// was loaded into alone, neither in a fork nor in what that starts. Set by
//   NTH_CALL         <kind>:<n>:<before|after>:<signal number>, or <kind>:<n>:fail:<errno>
//   NTH_CALL_BELOW   only calls on files at or below this folder count (clock has no file)
//   NTH_CALL_LOG     a file for one line "<kind> <path>" per call that counts
//   NTH_CALL_PIECE   read and write on these files move at most so many bytes, as signals,
//                    pipes and network file systems may have it
// Kinds: open read write fsync close rename mkdir unlink flock, any of these, and clock. The clock
// is looked at once before and once after each training step.
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <type_traits>

namespace {

struct Plan {
  char kind[16] = "";
  char side[16] = "";
  long at = 0;
  int number = 0;  ///< Of the signal, or errno.
  char below[PATH_MAX] = "";
  std::size_t piece = 0;
  int log = -1;
  pid_t process = 0;  ///< 0: not yet set up.
};
Plan plan;
std::atomic<long> calls = 0;

__attribute__((constructor)) void set_up() {
  if (const char* wanted = std::getenv("NTH_CALL"))
    std::sscanf(wanted, "%15[a-z]:%ld:%15[a-z]:%d", plan.kind, &plan.at, plan.side, &plan.number);
  if (const char* below = std::getenv("NTH_CALL_BELOW"))
    if (realpath(below, plan.below) == nullptr) std::abort();
  if (const char* piece = std::getenv("NTH_CALL_PIECE"))
    plan.piece = std::strtoul(piece, nullptr, 10);
  if (const char* log = std::getenv("NTH_CALL_LOG"))
    plan.log = static_cast<int>(
        syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  for (const char* name :
       {"LD_PRELOAD", "NTH_CALL", "NTH_CALL_BELOW", "NTH_CALL_LOG", "NTH_CALL_PIECE"})
    unsetenv(name);
  plan.process = getpid();
}

template <typename Function>
Function next(Function, const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}
// The function that this library stands in front of.
#define NEXT(name) static const auto real = next(&::name, #name)

bool is(const char* text, const char* other) { return std::strcmp(text, other) == 0; }

bool is_set_up() { return plan.process != 0 && plan.process == getpid(); }

/// What is known of a call's file. Without memory of the heap: a signal handler may write, also one
/// that came in the middle of an allocation.
class Subject {
 public:
  explicit Subject(int descriptor) {
    if (is_set_up()) append_path_of(descriptor);
  }
  explicit Subject(const char* name, int folder = AT_FDCWD) {
    if (!is_set_up() || name == nullptr) return;
    if (name[0] != '/') append_folder(folder);
    append(name);
  }
  const char* path() const { return path_; }
  bool counts() const {
    const std::size_t size = std::strlen(plan.below);
    return path_[0] != '\0' && std::strncmp(path_, plan.below, size) == 0 &&
           (path_[size] == '/' || path_[size] == '\0');
  }

 private:
  void append(const char* text) {
    const std::size_t at = std::strlen(path_);
    std::snprintf(path_ + at, sizeof path_ - at, "%s", text);
  }
  void append_path_of(int descriptor) {
    char link[32];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t size = readlink(link, path_, sizeof path_ - 1);
    path_[std::max<ssize_t>(size, 0)] = '\0';
  }
  void append_folder(int folder) {
    if (folder != AT_FDCWD)
      append_path_of(folder);
    else if (getcwd(path_, sizeof path_) == nullptr)
      path_[0] = '\0';
    append("/");
  }

  char path_[2 * PATH_MAX] = "";
};

/// A call on its way: counted at its beginning, the signal sent before or after it.
class Call {
 public:
  Call(const char* kind, const Subject& subject) {
    if (subject.counts()) begin(kind, subject.path());
  }
  explicit Call(const char* kind) {
    if (is_set_up()) begin(kind, "");
  }
  ~Call() {
    const int error = errno;
    if (hit_ && is(plan.side, "after")) kill(getpid(), plan.number);
    errno = error;
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  /// Tell whether this call is to fail, and set errno.
  bool fails() const {
    const bool failing = hit_ && is(plan.side, "fail");
    if (failing) errno = plan.number;
    return failing;
  }

 private:
  void begin(const char* kind, const char* path) {
    const int error = errno;
    if (plan.log >= 0) {
      char line[2 * PATH_MAX + 32];
      const int size = std::snprintf(line, sizeof line, "%s %s\n", kind, path);
      syscall(SYS_write, plan.log, line, static_cast<std::size_t>(size));
    }
    const bool wanted = is(plan.kind, kind) || (is(plan.kind, "any") && !is(kind, "clock"));
    hit_ = wanted && ++calls == plan.at;
    if (hit_ && is(plan.side, "before")) kill(getpid(), plan.number);
    errno = error;
  }

  bool hit_ = false;
};

std::size_t piece_of(std::size_t size, const Subject& subject) {
  const bool cut = plan.piece != 0 && subject.counts();
  return cut ? std::min(size, plan.piece) : size;
}

bool locks(int command) {
  return command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK ||
         command == F_OFD_SETLKW;
}

}  // namespace

/// Make a call, unless it is to fail.
template <typename Function, typename... Arguments>
auto make(const Call& call, Function real, Arguments... arguments) {
  using Result = decltype(real(arguments...));
  if (!call.fails()) return real(arguments...);
  if constexpr (std::is_pointer_v<Result>)
    return Result(nullptr);
  else
    return Result(-1);
}

#define EXPORTED extern "C" __attribute__((visibility("default")))

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)
#define OPEN_AS(name)                                                                    \
  EXPORTED int name(const char* path, int flags, ...) {                                  \
    NEXT(name);                                                                          \
    va_list rest;                                                                        \
    va_start(rest, flags);                                                               \
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                                                        \
    return make(Call("open", Subject(path)), real, path, flags, mode);                   \
  }
OPEN_AS(open)
OPEN_AS(open64)

#define OPENAT_AS(name)                                                                  \
  EXPORTED int name(int folder, const char* path, int flags, ...) {                      \
    NEXT(name);                                                                          \
    va_list rest;                                                                        \
    va_start(rest, flags);                                                               \
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                                                        \
    return make(Call("open", Subject(path, folder)), real, folder, path, flags, mode);   \
  }
OPENAT_AS(openat)
OPENAT_AS(openat64)

EXPORTED FILE* fopen(const char* path, const char* mode) {
  NEXT(fopen);
  return make(Call("open", Subject(path)), real, path, mode);
}
EXPORTED FILE* fopen64(const char* path, const char* mode) {
  NEXT(fopen64);
  return make(Call("open", Subject(path)), real, path, mode);
}

EXPORTED ssize_t read(int descriptor, void* into, std::size_t size) {
  NEXT(read);
  const Subject subject(descriptor);
  return make(Call("read", subject), real, descriptor, into, piece_of(size, subject));
}
EXPORTED ssize_t write(int descriptor, const void* from, std::size_t size) {
  NEXT(write);
  const Subject subject(descriptor);
  return make(Call("write", subject), real, descriptor, from, piece_of(size, subject));
}
// What a lock is written with.
#define PREAD_AS(name)                                                                \
  EXPORTED ssize_t name(int descriptor, void* into, std::size_t size, off_t at) {     \
    NEXT(name);                                                                       \
    return make(Call("read", Subject(descriptor)), real, descriptor, into, size, at); \
  }
PREAD_AS(pread)
PREAD_AS(pread64)
#define PWRITE_AS(name)                                                                 \
  EXPORTED ssize_t name(int descriptor, const void* from, std::size_t size, off_t at) { \
    NEXT(name);                                                                         \
    return make(Call("write", Subject(descriptor)), real, descriptor, from, size, at);  \
  }
PWRITE_AS(pwrite)
PWRITE_AS(pwrite64)
#define FTRUNCATE_AS(name)                                                   \
  EXPORTED int name(int descriptor, off_t size) {                            \
    NEXT(name);                                                              \
    return make(Call("write", Subject(descriptor)), real, descriptor, size); \
  }
FTRUNCATE_AS(ftruncate)
FTRUNCATE_AS(ftruncate64)
EXPORTED int fsync(int descriptor) {
  NEXT(fsync);
  return make(Call("fsync", Subject(descriptor)), real, descriptor);
}
EXPORTED int close(int descriptor) {
  NEXT(close);
  const Call call("close", Subject(descriptor));
  const int result = real(descriptor);  // One that fails closes the file all the same.
  return call.fails() ? -1 : result;
}

EXPORTED int rename(const char* from, const char* to) {
  NEXT(rename);
  return make(Call("rename", Subject(to)), real, from, to);
}
EXPORTED int mkdir(const char* path, mode_t mode) {
  NEXT(mkdir);
  return make(Call("mkdir", Subject(path)), real, path, mode);
}

EXPORTED int unlink(const char* path) {
  NEXT(unlink);
  return make(Call("unlink", Subject(path)), real, path);
}
EXPORTED int unlinkat(int folder, const char* path, int flags) {
  NEXT(unlinkat);
  return make(Call("unlink", Subject(path, folder)), real, folder, path, flags);
}
EXPORTED int rmdir(const char* path) {
  NEXT(rmdir);
  return make(Call("unlink", Subject(path)), real, path);
}
EXPORTED int remove(const char* path) {
  NEXT(remove);
  return make(Call("unlink", Subject(path)), real, path);
}

EXPORTED int flock(int descriptor, int operation) {
  NEXT(flock);
  return make(Call("flock", Subject(descriptor)), real, descriptor, operation);
}
#define FCNTL_AS(name)                                                                    \
  EXPORTED int name(int descriptor, int command, ...) {                                   \
    NEXT(name);                                                                           \
    va_list rest;                                                                         \
    va_start(rest, command);                                                              \
    void* argument = va_arg(rest, void*);                                                 \
    va_end(rest);                                                                         \
    if (!locks(command)) return real(descriptor, command, argument);                      \
    return make(Call("flock", Subject(descriptor)), real, descriptor, command, argument); \
  }
FCNTL_AS(fcntl)
FCNTL_AS(fcntl64)

EXPORTED int clock_gettime(clockid_t clock, struct timespec* time) {
  NEXT(clock_gettime);
  return make(Call("clock"), real, clock, time);
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
