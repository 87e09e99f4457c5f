#include "core/utf8.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>

namespace recloom {
namespace {

constexpr std::size_t kEscapeBytes = 4;  // \xE9

/// The byte that text begins with as an escape, if it does.
std::optional<char> escaped_byte(std::string_view text) {
  if (text.size() < kEscapeBytes || !text.starts_with("\\x")) return std::nullopt;
  unsigned byte = 0;
  const char* const end = text.data() + kEscapeBytes;
  const auto [stop, error] = std::from_chars(text.data() + 2, end, byte, 16);
  if (error != std::errc() || stop != end) return std::nullopt;
  return static_cast<char>(byte);
}

std::string to_utf8(std::string_view text, bool reversible) {
  std::string result;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0 || (reversible && escaped_byte(text)))
      result += fmt::format("\\x{:02X}", static_cast<unsigned char>(text[0]));
    else
      result += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

}  // namespace

std::size_t utf8_length(std::string_view text) noexcept {
  if (text.empty()) return 0;
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || length > text.size()) return 0;
  for (std::size_t byte = 1; byte < length; ++byte)
    if ((static_cast<unsigned char>(text[byte]) & 0xC0) != 0x80) return 0;
  // Overlong forms, surrogates and code points above U+10FFFF differ in the second byte.
  const auto second = static_cast<unsigned char>(text[1]);
  const bool wrong = (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
                     (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
  return wrong ? 0 : length;
}

bool is_utf8(std::string_view text) noexcept {
  for (std::uint64_t word = 0; text.size() >= 8; text.remove_prefix(8)) {
    std::memcpy(&word, text.data(), 8);
    if ((word & 0x8080808080808080ULL) != 0) break;
  }
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string as_utf8(std::string_view text) { return to_utf8(text, false); }
std::string escape_bytes(std::string_view name) { return to_utf8(name, true); }

std::string unescape_bytes(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::optional<char> byte = escaped_byte(text);
    result += byte.value_or(text[0]);
    text.remove_prefix(byte ? kEscapeBytes : 1);
  }
  return result;
}

}  // namespace recloom
