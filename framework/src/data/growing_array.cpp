#include "data/growing_array.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace recloom {
namespace {

// ThreadSanitizer does not see mremap(): it would compare the accesses of two blocks that had the
// same address one after the other. Under it every block grows by copying.
#if defined(__linux__) && !defined(__SANITIZE_THREAD__)
/// Blocks from here on come from the system: only those can grow without a copy.
constexpr std::size_t kMappedBytes = std::size_t{1} << 18;
#else
constexpr std::size_t kMappedBytes = SIZE_MAX;
#endif

[[maybe_unused]] constexpr std::size_t kLargePage = std::size_t{1} << 21;

bool is_mapped(std::size_t bytes) { return bytes >= kMappedBytes; }

void* map_memory([[maybe_unused]] void* old, [[maybe_unused]] std::size_t old_bytes,
                 [[maybe_unused]] std::size_t bytes) {
#if defined(__linux__)
  void* memory = is_mapped(old_bytes) ? mremap(old, old_bytes, bytes, MREMAP_MAYMOVE)
                                      : mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return memory;
#else
  throw std::bad_alloc();
#endif
}

}  // namespace

void want_large_pages(void* memory, std::size_t bytes) noexcept {
#ifdef MADV_HUGEPAGE
  // All of a mapping, down to its last small page: part of one would become a mapping of its own,
  // and mremap() takes one at a time.
  constexpr std::uintptr_t kPage = 4096;
  const auto at = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t begin = (at + kPage - 1) & ~(kPage - 1);
  const std::uintptr_t end = at % kPage == 0 ? at + bytes : (at + bytes) & ~(kPage - 1);
  if (bytes >= kLargePage && end > begin) {
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
  }
#endif
}

void* grow_memory(void* old, std::size_t old_bytes, std::size_t bytes) {
  if (!is_mapped(bytes)) {
    void* memory = std::realloc(old, bytes);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
  }
  void* memory = map_memory(old, old_bytes, bytes);
  if (!is_mapped(old_bytes) && old_bytes > 0) {
    std::memcpy(memory, old, old_bytes);
    std::free(old);
  }
  return memory;
}

void free_memory(void* memory, std::size_t bytes) noexcept {
  if (is_mapped(bytes)) {
    munmap(memory, bytes);
  } else {
    std::free(memory);
  }
}

}  // namespace recloom
