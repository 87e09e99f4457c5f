#include "data/held_pipes.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "core/descriptor.hpp"
#include "data/held_copies.hpp"
#include "data/raw_file.hpp"

namespace recloom {
namespace {

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

// What an error leaves half done is let go of: the object is there once the other constructor is.
HeldPipes::HeldPipes(const std::vector<std::string>& files, const RunContext& run) : HeldPipes() {
  held_.reserve(files.size());
  for (const std::string& file : files) {
    if (!is_read_once(file) || is_held(file)) continue;
    Descriptor copy(copy_of(file, run));
    if (!hold_copy(file, copy.get())) continue;
    copy.release();
    held_.push_back(file);
  }
}

HeldPipes::~HeldPipes() {
  for (const std::string& file : held_) release_held(file);
}

}  // namespace recloom
