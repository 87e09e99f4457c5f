#pragma once
#include <hwy/highway.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace recloom {

/// Finds one of two bytes, 64 bytes at a time. At the level that all files are compiled for: a call
/// that is chosen when the program starts costs more than wider vectors give.
class ByteMask {
 public:
  static constexpr std::size_t kBytes = 64;

  ByteMask(char a, char b) noexcept
      : a_(hwy::HWY_NAMESPACE::Set(Bytes(), static_cast<std::uint8_t>(a))),
        b_(hwy::HWY_NAMESPACE::Set(Bytes(), static_cast<std::uint8_t>(b))) {}
  /// Bit i tells whether byte i is one of the two.
  std::uint64_t operator()(const char* bytes) const noexcept {
    namespace hn = hwy::HWY_NAMESPACE;
    std::uint64_t mask = 0;
    for (std::size_t at = 0; at < kBytes; at += 16) {
      const auto text = hn::LoadU(Bytes(), reinterpret_cast<const std::uint8_t*>(bytes + at));
      std::uint16_t bits = 0;
      hn::StoreMaskBits(Bytes(), hn::Or(hn::Eq(text, a_), hn::Eq(text, b_)),
                        reinterpret_cast<std::uint8_t*>(&bits));
      mask |= std::uint64_t{bits} << at;
    }
    return mask;
  }

 private:
  static_assert(std::endian::native == std::endian::little, "the first byte has the lowest bit");
  using Bytes = hwy::HWY_NAMESPACE::FixedTag<std::uint8_t, 16>;

  hwy::HWY_NAMESPACE::Vec<Bytes> a_, b_;
};

/// Walks over the separators and line ends of a text.
class Marks {
 public:
  Marks(std::string_view text, std::string_view separator) noexcept : Marks(text, separator[0]) {}
  Marks(std::string_view text, char separator) noexcept
      : is_mark_(separator, '\n'), at_(text.data()), end_(at_ + text.size()) {
    look();
  }
  /// Return the next separator or line end, the end of the text if there is none.
  const char* next() noexcept {
    while (mask_ == 0) {
      if (static_cast<std::size_t>(end_ - at_) <= ByteMask::kBytes) return end_;
      at_ += ByteMask::kBytes;
      look();
    }
    const char* mark = at_ + std::countr_zero(mask_);
    mask_ &= mask_ - 1;
    return mark;
  }
  /// How long a separator is.
  static constexpr std::size_t width() noexcept { return 1; }
  /// Go on from here.
  void seek(const char* to) noexcept {
    at_ = to;
    look();
  }

 private:
  void look() noexcept {
    const auto rest = static_cast<std::size_t>(end_ - at_);
    if (rest >= ByteMask::kBytes) {
      mask_ = is_mark_(at_);
      return;
    }
    char padded[ByteMask::kBytes] = {};
    if (rest > 0) std::memcpy(padded, at_, rest);
    mask_ = rest == 0 ? 0 : is_mark_(padded) & ((std::uint64_t{1} << rest) - 1);
  }

  ByteMask is_mark_;
  const char* at_;
  const char* end_;
  std::uint64_t mask_ = 0;
};

/// The same where a separator is of two bytes or more. Of those that overlap the first counts.
class TextMarks {
 public:
  TextMarks(std::string_view text, std::string_view separator) noexcept
      : marks_(text, separator[0]),
        separator_(separator),
        from_(text.data()),
        end_(text.data() + text.size()) {}
  const char* next() noexcept {
    for (;;) {
      const char* const mark = marks_.next();
      if (mark == end_ || *mark == '\n') return mark;
      if (mark < from_ || !stands_at(mark)) continue;
      from_ = mark + separator_.size();
      return mark;
    }
  }
  std::size_t width() const noexcept { return separator_.size(); }
  void seek(const char* to) noexcept {
    marks_.seek(to);
    from_ = to;
  }

 private:
  bool stands_at(const char* mark) const noexcept {
    const std::size_t size = separator_.size();
    return static_cast<std::size_t>(end_ - mark) >= size && mark[1] == separator_[1] &&
           (size == 2 || std::memcmp(mark, separator_.data(), size) == 0);
  }

  Marks marks_;
  std::string_view separator_;
  const char* from_;  // Separators begin here or behind it.
  const char* end_;
};

}  // namespace recloom
