#include "data/held_pipes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <mutex>
#include <string_view>

#include "core/descriptor.hpp"
#include "data/raw_file.hpp"

namespace recloom {
namespace {

/// Descriptors by the name of the pipe. Pipes belong to the whole process.
struct Held {
  std::mutex mutex;
  std::map<std::string, int> pipes;
};
Held& held() {
  static auto* all = new Held;
  return *all;
}

/// Standard input goes on from where it is, even if it is a file.
bool is_read_once(const std::string& file) {
  struct stat status {};
  return file == kStandardInput || (::stat(file.c_str(), &status) == 0 && S_ISFIFO(status.st_mode));
}

void write_all(int descriptor, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail_io("cannot keep", name);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

int copy_of(const std::string& file, const RunContext& run) {
  RawFile pipe(file, run);
  Descriptor copy(::memfd_create("recloom", MFD_CLOEXEC));
  if (copy.get() < 0) fail_io("cannot keep", pipe.name());
  for (std::string_view bytes = pipe.peek(); !bytes.empty(); bytes = pipe.peek()) {
    write_all(copy.get(), bytes, pipe.name());
    pipe.consume(bytes.size());
  }
  return copy.release();
}

}  // namespace

HeldPipes::HeldPipes(const std::vector<std::string>& files, const RunContext& run) {
  held_.reserve(files.size());
  for (const std::string& file : files) {
    if (!is_read_once(file)) continue;
    {
      const std::lock_guard lock(held().mutex);
      if (held().pipes.contains(file)) continue;
    }
    const int copy = copy_of(file, run);
    const std::lock_guard lock(held().mutex);
    held().pipes[file] = copy;
    held_.push_back(file);
  }
}

HeldPipes::~HeldPipes() {
  const std::lock_guard lock(held().mutex);
  for (const std::string& file : held_) {
    ::close(held().pipes.at(file));
    held().pipes.erase(file);
  }
}

int open_held(const std::string& file) {
  const std::lock_guard lock(held().mutex);
  const auto found = held().pipes.find(file);
  if (found == held().pipes.end()) return -1;
  // Each opening has a place of its own in the file.
  return ::open(fmt::format("/proc/self/fd/{}", found->second).c_str(), O_RDONLY | O_CLOEXEC);
}

}  // namespace recloom
