#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

namespace recloom {

/// Allocates at cache-line boundaries, so that SIMD loads of rows do not straddle lines.
template <class T>
struct CacheLineAllocator {
  using value_type = T;
  static constexpr std::align_val_t kAlignment{64};
  CacheLineAllocator() = default;
  template <class U>
  CacheLineAllocator(const CacheLineAllocator<U>&) noexcept {}
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), kAlignment)); }
  void deallocate(T* p, std::size_t) noexcept { ::operator delete(p, kAlignment); }
  bool operator==(const CacheLineAllocator&) const noexcept { return true; }
};

using AlignedFloats = std::vector<float, CacheLineAllocator<float>>;

/// A fixed number of zeros at a cache-line boundary. Large ones take no memory where nothing is
/// written, unlike those of a vector, which writes its zeros.
class UntouchedFloats {
 public:
  explicit UntouchedFloats(std::size_t n)
      : size_(n), memory_(std::calloc(n * sizeof(float) + kLine, 1), &std::free) {
    if (memory_ == nullptr) throw std::bad_alloc();
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.get());
    data_ = reinterpret_cast<float*>((address + kLine - 1) / kLine * kLine);
  }
  float* data() noexcept { return data_; }
  const float* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  static constexpr std::size_t kLine = 64;
  std::size_t size_;
  std::unique_ptr<void, decltype(&std::free)> memory_;
  float* data_;
};

}  // namespace recloom
