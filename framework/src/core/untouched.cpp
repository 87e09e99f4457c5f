#include "core/untouched.hpp"

#include <sys/mman.h>

#include <new>

namespace recloom {

UntouchedFloats::UntouchedFloats(std::size_t n) : size_(n) {
  if (n == 0) return;
  void* address =
      mmap(nullptr, n * sizeof(float), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) throw std::bad_alloc();
  data_ = static_cast<float*>(address);
}

UntouchedFloats::~UntouchedFloats() {
  if (data_ != nullptr) munmap(data_, size_ * sizeof(float));
}

}  // namespace recloom
