#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace recloom::testing {

/// n floats in [-1, 1) at an odd address, with marks before and behind that must stay. Reproducible
/// by `seed`.
class Guarded {
 public:
  Guarded(std::size_t n, std::size_t offset, unsigned seed)
      : start_(kMargin + offset % 5), n_(n), values_(start_ + n + kMargin, kMark) {
    std::uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
    for (std::size_t i = 0; i < n; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      values_[start_ + i] = static_cast<float>(static_cast<double>(state >> 40) / 8388608.0 - 1.0);
    }
  }
  float* data() { return values_.data() + start_; }
  const float* data() const { return values_.data() + start_; }
  float& operator[](std::size_t i) { return data()[i]; }
  float operator[](std::size_t i) const { return data()[i]; }
  bool intact() const {
    const auto mark = [](float v) { return v == kMark; };
    const auto begin = values_.begin(), stop = begin + static_cast<std::ptrdiff_t>(start_ + n_);
    return std::all_of(begin, begin + static_cast<std::ptrdiff_t>(start_), mark) &&
           std::all_of(stop, values_.end(), mark);
  }

 private:
  static constexpr std::size_t kMargin = 16;
  static constexpr float kMark = -12345.5F;
  std::size_t start_, n_;
  std::vector<float> values_;
};

/// Call f(n, offset) for sizes around every vector width and for odd alignments.
template <class F>
void for_sizes_and_offsets(F&& f) {
  for (std::size_t n = 0; n <= 67; ++n)
    for (std::size_t offset = 0; offset < 3; ++offset) f(n, offset);
}

}  // namespace recloom::testing
