#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "recloom/core/export.hpp"

namespace recloom {

/// Memory that a function needs while it runs, from a stack of the calling thread: nothing is
/// allocated once that has grown. All of it is given back when the Scratch ends, so Scratches of
/// one thread must end in the opposite order of their beginnings, as local variables do.
class RECLOOM_API Scratch {
 public:
  Scratch() noexcept;
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  /// n numbers of any content, at a cache line. @throws std::bad_alloc.
  template <class T = float>
  std::span<T> take(std::size_t n) {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
    return {static_cast<T*>(bytes(n * sizeof(T))), n};
  }
  float* floats(std::size_t n) { return take<float>(n).data(); }
  float* zeros(std::size_t n);  ///< The same, of zeros.

 private:
  void* bytes(std::size_t n);
  std::size_t block_, used_;  // Where the thread's stack stood at the beginning.
};

}  // namespace recloom
