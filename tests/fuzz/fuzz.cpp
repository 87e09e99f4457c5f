#include "fuzz/fuzz.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>

#include "core/hash.hpp"
#include "recloom/core/error.hpp"

namespace recloom::fuzz {
namespace {

[[noreturn]] void give_up(const char* what, const char* text) {
  std::fprintf(stderr, "fuzz: %s: %s\n", what, text);
  std::abort();
}

/// Put 16 digits behind `"name":"`, if it is there.
void set_hash(std::string& header, std::string_view name, std::string_view digits) {
  const std::string key = "\"" + std::string(name) + "\":\"";
  const std::size_t at = header.find(key);
  if (at == std::string::npos || at + key.size() + digits.size() > header.size()) return;
  header.replace(at + key.size(), digits.size(), digits);
}

}  // namespace

MemoryFile::MemoryFile(std::string_view bytes)
    : descriptor_(memfd_create("fuzz", MFD_CLOEXEC)),
      name_("/proc/self/fd/" + std::to_string(descriptor_)) {
  if (descriptor_ < 0) give_up("memfd_create", std::strerror(errno));
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor_, bytes.data(), bytes.size());
    if (count <= 0) give_up("write", std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

MemoryFile::~MemoryFile() { close(descriptor_); }

void refuse_or_read(const std::function<void()>& read) {
  try {
    read();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) give_up("internal error", error.what());
    if (std::strchr(error.what(), '\n') != nullptr) give_up("more than a line", error.what());
  } catch (const std::bad_alloc&) {
    // A file may ask for more memory than there is; that is refused too.
  } catch (const std::exception& error) {
    give_up("foreign exception", error.what());
  }
}

std::string with_right_hashes(std::string_view bytes) {
  std::string file(bytes);
  std::uint64_t length = 0;
  if (file.size() < sizeof length) return file;
  std::memcpy(&length, file.data(), sizeof length);
  if (length > file.size() - sizeof length) return file;
  std::string header = file.substr(sizeof length, length);
  const std::string_view data = std::string_view(file).substr(sizeof length + length);
  set_hash(header, "xxh3", hex(hash64(data)));
  set_hash(header, "xxh3_header", std::string(16, '0'));
  set_hash(header, "xxh3_header", hex(hash64(header)));
  file.replace(sizeof length, length, header);
  return file;
}

}  // namespace recloom::fuzz
