#pragma once
#include <cstddef>

#include "recloom/core/export.hpp"

namespace recloom {

/// A fixed number of zeros at a page boundary, straight from the system: they take no memory where
/// nothing is written, unlike those of a vector, which writes its zeros, or of calloc, which may
/// reuse a block. @throws std::bad_alloc.
class RECLOOM_API UntouchedFloats {
 public:
  UntouchedFloats() = default;  ///< None.
  explicit UntouchedFloats(std::size_t n);
  UntouchedFloats(UntouchedFloats&& other) noexcept;
  UntouchedFloats& operator=(UntouchedFloats&& other) noexcept;
  ~UntouchedFloats();
  float* data() noexcept { return data_; }
  const float* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  std::size_t size_ = 0;
  float* data_ = nullptr;
};

}  // namespace recloom
