#include "data/held_copies.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <map>
#include <mutex>

namespace recloom {
namespace {

struct Held {
  std::mutex mutex;
  std::map<std::string, int> copies;
};
Held& held() {
  static auto* all = new Held;
  return *all;
}

}  // namespace

bool hold_copy(const std::string& file, int descriptor) {
  const std::lock_guard lock(held().mutex);
  return held().copies.emplace(file, descriptor).second;
}

void release_held(const std::string& file) {
  const std::lock_guard lock(held().mutex);
  const auto found = held().copies.find(file);
  if (found == held().copies.end()) return;
  ::close(found->second);
  held().copies.erase(found);
}

bool is_held(const std::string& file) {
  const std::lock_guard lock(held().mutex);
  return held().copies.contains(file);
}

int open_held(const std::string& file) {
  const std::lock_guard lock(held().mutex);
  const auto found = held().copies.find(file);
  if (found == held().copies.end()) return -1;
  // Each opening has a place of its own in the file.
  return ::open(fmt::format("/proc/self/fd/{}", found->second).c_str(), O_RDONLY | O_CLOEXEC);
}

}  // namespace recloom
