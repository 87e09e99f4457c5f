#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace recloom {

/// Finds one of two bytes, 64 bytes at a time.
class ByteMask {
 public:
  ByteMask(char a, char b) noexcept
#ifdef __SSE2__
      : a_(_mm_set1_epi8(a)),
        b_(_mm_set1_epi8(b)){}
#else
      : a_(kOnes * static_cast<unsigned char>(a)), b_(kOnes * static_cast<unsigned char>(b)) {
  }
#endif
        /// Bit i tells whether byte i is one of the two.
        std::uint64_t
        operator()(const char* bytes) const noexcept {
    std::uint64_t mask = 0;
#ifdef __SSE2__
    for (int part = 0; part < 4; ++part) {
      const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + 16 * part));
      const __m128i found = _mm_or_si128(_mm_cmpeq_epi8(text, a_), _mm_cmpeq_epi8(text, b_));
      const auto bits = static_cast<std::uint16_t>(_mm_movemask_epi8(found));
      mask |= static_cast<std::uint64_t>(bits) << (16 * part);
    }
#else
    for (int part = 0; part < 8; ++part) {
      std::uint64_t text = 0;
      std::memcpy(&text, bytes + 8 * part, 8);
      const std::uint64_t found = zero_bytes(text ^ a_) | zero_bytes(text ^ b_);
      mask |= (((found >> 7) * 0x0102040810204080ULL) >> 56) << (8 * part);
    }
#endif
    return mask;
  }

 private:
#ifdef __SSE2__
  __m128i a_, b_;
#else
  static constexpr std::uint64_t kOnes = 0x0101010101010101ULL, kLow = 0x7F * kOnes;
  /// The top bit of each byte that is zero.
  static std::uint64_t zero_bytes(std::uint64_t word) noexcept {
    return ~(((word & kLow) + kLow) | word | kLow);
  }
  std::uint64_t a_, b_;
#endif
};

/// Walks over the separators and line ends of a text.
class Marks {
 public:
  Marks(std::string_view text, char separator) noexcept
      : is_mark_(separator, '\n'), at_(text.data()), end_(at_ + text.size()) {
    look();
  }
  /// Return the next separator or line end, the end of the text if there is none.
  const char* next() noexcept {
    while (mask_ == 0) {
      if (static_cast<std::size_t>(end_ - at_) <= kChunk) return end_;
      at_ += kChunk;
      look();
    }
    const char* mark = at_ + __builtin_ctzll(mask_);
    mask_ &= mask_ - 1;
    return mark;
  }
  /// Go on from here.
  void seek(const char* to) noexcept {
    at_ = to;
    look();
  }

 private:
  static constexpr std::size_t kChunk = 64;

  void look() noexcept {
    const auto rest = static_cast<std::size_t>(end_ - at_);
    if (rest >= kChunk) {
      mask_ = is_mark_(at_);
      return;
    }
    char padded[kChunk] = {};
    if (rest > 0) std::memcpy(padded, at_, rest);
    mask_ = rest == 0 ? 0 : is_mark_(padded) & ((std::uint64_t{1} << rest) - 1);
  }

  ByteMask is_mark_;
  const char* at_;
  const char* end_;
  std::uint64_t mask_ = 0;
};

}  // namespace recloom
