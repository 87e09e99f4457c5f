#pragma once
#include <algorithm>
#include <cstddef>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "recloom/core/export.hpp"

namespace recloom {

/// Ask for large pages where memory is looked up at random (most of such a look-up is the search
/// for its page) or filled once. A wish, without effect on small blocks or where the system has
/// none.
RECLOOM_API void want_large_pages(void* memory, std::size_t bytes) noexcept;
/// Give a block of memory another size; large ones are moved by the system, without a copy.
/// @throws std::bad_alloc.
RECLOOM_API void* grow_memory(void* old, std::size_t old_bytes, std::size_t bytes);
RECLOOM_API void free_memory(void* memory, std::size_t bytes) noexcept;

/// Array of plain values that grows without a second copy in memory: large blocks are moved by the
/// system, page by page, and reserved but unused pages are not resident. This keeps the
/// peak of a reader near the size of the columns it makes; std::vector would need twice as much.
template <class T>
class GrowingArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  GrowingArray() = default;
  ~GrowingArray() {
    if (data_ != nullptr) free_memory(data_, capacity_ * sizeof(T));
  }
  GrowingArray(GrowingArray&& other) noexcept { swap(other); }
  GrowingArray& operator=(GrowingArray&& other) noexcept {
    GrowingArray(std::move(other)).swap(*this);
    return *this;
  }
  GrowingArray(const GrowingArray&) = delete;
  GrowingArray& operator=(const GrowingArray&) = delete;

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  T* data() noexcept { return data_; }
  const T* data() const noexcept { return data_; }
  T& operator[](std::size_t index) noexcept { return data_[index]; }
  const T& operator[](std::size_t index) const noexcept { return data_[index]; }
  T* begin() noexcept { return data_; }
  T* end() noexcept { return data_ + size_; }
  const T* begin() const noexcept { return data_; }
  const T* end() const noexcept { return data_ + size_; }
  std::span<const T> view() const noexcept { return {data_, size_}; }

  void push_back(T value) {
    if (size_ == capacity_) grow(size_ + 1);
    data_[size_++] = value;
  }
  /// Add `count` values that the caller writes; their content is undefined.
  T* extend(std::size_t count) {
    if (size_ + count > capacity_) grow(size_ + count);
    T* added = data_ + size_;
    size_ += count;
    return added;
  }
  /// Forget the values behind the first `count`.
  void shrink(std::size_t count) noexcept { size_ = std::min(size_, count); }
  void clear() noexcept { size_ = 0; }
  /// Use large pages from now on.
  void want_large_pages_when_grown() noexcept { large_pages_ = true; }
  /// Give the memory back.
  void release() noexcept { GrowingArray().swap(*this); }

 private:
  void swap(GrowingArray& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    std::swap(large_pages_, other.large_pages_);
  }
  void grow(std::size_t needed) {
    const std::size_t capacity = std::max({needed, capacity_ + capacity_ / 2, std::size_t{1024}});
    data_ = static_cast<T*>(grow_memory(data_, capacity_ * sizeof(T), capacity * sizeof(T)));
    capacity_ = capacity;
    if (large_pages_) want_large_pages(data_, capacity_ * sizeof(T));
  }

  T* data_ = nullptr;
  std::size_t size_ = 0, capacity_ = 0;
  bool large_pages_ = false;
};

}  // namespace recloom
