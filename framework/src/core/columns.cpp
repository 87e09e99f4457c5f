#include "core/columns.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/utf8.hpp"

namespace recloom {
namespace {

struct Range {
  std::uint32_t first, last;
};

// Of Unicode's EastAsianWidth.txt (W and F) and DerivedGeneralCategory.txt (Mn, Me, Cf), coarsely:
// blocks, not single characters.
constexpr std::array<Range, 15> kWide = {{{0x1100, 0x115f},
                                          {0x231a, 0x231b},
                                          {0x2e80, 0x303e},
                                          {0x3041, 0x33ff},
                                          {0x3400, 0x4dbf},
                                          {0x4e00, 0x9fff},
                                          {0xa000, 0xa4cf},
                                          {0xa960, 0xa97f},
                                          {0xac00, 0xd7a3},
                                          {0xf900, 0xfaff},
                                          {0xfe30, 0xfe6f},
                                          {0xff01, 0xff60},
                                          {0xffe0, 0xffe6},
                                          {0x1f300, 0x1faff},
                                          {0x20000, 0x3fffd}}};
constexpr std::array<Range, 11> kCombining = {{{0x0300, 0x036f},
                                               {0x0483, 0x0489},
                                               {0x0591, 0x05bd},
                                               {0x064b, 0x065f},
                                               {0x0e34, 0x0e3a},
                                               {0x1ab0, 0x1aff},
                                               {0x1dc0, 0x1dff},
                                               {0x200b, 0x200f},
                                               {0x20d0, 0x20ff},
                                               {0xfe00, 0xfe0f},
                                               {0xfe20, 0xfe2f}}};

template <std::size_t N>
bool within(std::uint32_t code, const std::array<Range, N>& ranges) {
  return std::ranges::any_of(
      ranges, [code](const Range& range) { return code >= range.first && code <= range.last; });
}

std::uint32_t code_of(std::string_view character) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(character[at]); };
  if (character.size() == 1) return byte(0);
  std::uint32_t code = byte(0) & (0xffU >> (character.size() + 1));
  for (std::size_t at = 1; at < character.size(); ++at) code = code << 6 | (byte(at) & 0x3fU);
  return code;
}

/// Take the next character. @return its columns.
std::size_t step(std::string_view text, std::size_t& length) {
  length = std::max<std::size_t>(utf8_length(text), 1);
  if (length == 1) return 1;
  const std::uint32_t code = code_of(text.substr(0, length));
  if (within(code, kCombining)) return 0;
  return within(code, kWide) ? 2 : 1;
}

}  // namespace

std::size_t columns_of(std::string_view text) noexcept {
  std::size_t columns = 0;
  for (std::size_t length = 0; !text.empty(); text.remove_prefix(length))
    columns += step(text, length);
  return columns;
}

std::string cut_to_columns(std::string_view text, std::size_t columns) {
  std::size_t used = 0, at = 0;
  for (std::size_t length = 0; at < text.size(); at += length) {
    used += step(text.substr(at), length);
    if (used > columns) break;
  }
  return std::string(text.substr(0, at));
}

}  // namespace recloom
