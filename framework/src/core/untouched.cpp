#include "core/untouched.hpp"

#include <sys/mman.h>

#include <limits>
#include <new>
#include <utility>

namespace recloom {

UntouchedFloats::UntouchedFloats(std::size_t n) : size_(n) {
  if (n == 0) return;
  if (n > std::numeric_limits<std::size_t>::max() / sizeof(float)) throw std::bad_alloc();
  void* address =
      mmap(nullptr, n * sizeof(float), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) throw std::bad_alloc();
  data_ = static_cast<float*>(address);
}

UntouchedFloats::UntouchedFloats(UntouchedFloats&& other) noexcept
    : size_(std::exchange(other.size_, 0)), data_(std::exchange(other.data_, nullptr)) {}
UntouchedFloats& UntouchedFloats::operator=(UntouchedFloats&& other) noexcept {
  std::swap(size_, other.size_);
  std::swap(data_, other.data_);
  return *this;
}
UntouchedFloats::~UntouchedFloats() {
  if (data_ != nullptr) munmap(data_, size_ * sizeof(float));
}

}  // namespace recloom
