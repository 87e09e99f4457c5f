#include "data/python_literal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <system_error>
#include <utility>

#include "core/text.hpp"

namespace recloom {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_name(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
}
bool is_quote(char c) noexcept { return c == '\'' || c == '"'; }

class Rewriter {
 public:
  Rewriter(std::string_view literal, std::string& json) : text_(literal), json_(json) {}

  std::string rewrite() {
    json_.clear();
    while (!text_.empty() && problem_.empty()) element();
    return std::move(problem_);
  }

 private:
  void element() {
    const char c = text_[0];
    if (is_quote(c)) {
      string();
    } else if (is_digit(c)) {
      number();
    } else if (is_name(c)) {
      word();
    } else {
      text_.remove_prefix(1);
      if (c == ')' || c == ']' || c == '}') drop_last_comma();
      json_.push_back(c == '(' ? '[' : c == ')' ? ']' : c);
    }
  }
  /// Python lets a comma stand behind the last element, and has it in a tuple of one.
  void drop_last_comma() {
    constexpr std::string_view kBlanks = " \t\r";
    const std::size_t comma = json_.find_last_not_of(kBlanks);
    if (comma == std::string::npos || json_[comma] != ',') return;
    const std::string_view before = std::string_view(json_).substr(0, comma);
    const std::size_t element = before.find_last_not_of(kBlanks);
    constexpr std::string_view kNoElement = "{[:,";
    if (element != std::string_view::npos &&
        kNoElement.find(before[element]) == std::string_view::npos) {
      json_.erase(comma, 1);
    }
  }
  void number() {
    const auto end = std::find_if_not(text_.begin(), text_.end(), [](char c) {
      return is_digit(c) || c == '.' || c == 'e' || c == 'E';
    });
    json_.append(text_.begin(), end);
    text_.remove_prefix(static_cast<std::size_t>(end - text_.begin()));
    if (text_.starts_with('L')) text_.remove_prefix(1);  // Python 2's long integers.
  }
  void word() {
    const auto end = std::find_if_not(text_.begin(), text_.end(), is_name);
    const std::string_view word(text_.begin(), end);
    text_.remove_prefix(word.size());
    if (!text_.empty() && is_quote(text_[0]) && (word == "u" || word == "U" || word == "b")) {
      string();
      return;
    }
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kWords = {
        {{"None", "null"}, {"True", "true"}, {"False", "false"}, {"nan", "NaN"}}};
    const auto known = std::find_if(kWords.begin(), kWords.end(),
                                    [&](const auto& pair) { return pair.first == word; });
    if (known == kWords.end()) {
      problem_ = fmt::format("'{}' is no part of a Python literal", printable(word));
    } else {
      json_ += known->second;
    }
  }
  void string() {
    const char quote = text_[0];
    text_.remove_prefix(1);
    json_.push_back('"');
    while (!text_.empty() && text_[0] != quote && problem_.empty()) {
      const char c = text_[0];
      text_.remove_prefix(1);
      if (c == '\\') {
        escape();
      } else {
        put(c);
      }
    }
    if (text_.empty()) {
      problem_ = "a string is not closed";
      return;
    }
    text_.remove_prefix(1);
    json_.push_back('"');
  }
  void escape() {
    if (text_.empty()) return;  // Not closed.
    const char c = text_[0];
    text_.remove_prefix(1);
    constexpr std::string_view kSame = "\\nrtbf";
    switch (c) {
      case 'x':
        return put_code(2);
      case 'u':
        return put_code(4);
      case 'U':
        return put_code(8);
      case 'N':
        problem_ = "an escape \\N{...}, which is not read";
        return;
      case 'a':
        return put('\a');
      case 'v':
        return put('\v');
      default:
        break;
    }
    if (c >= '0' && c <= '7') return put_octal(c);
    if (is_quote(c)) return put(c);
    if (kSame.find(c) == std::string_view::npos) {
      json_ += "\\\\";  // Python leaves an escape that it does not know as it is.
      put(c);
      return;
    }
    json_.push_back('\\');
    json_.push_back(c);
  }
  /// Write a byte of a string.
  void put(char c) {
    if (static_cast<unsigned char>(c) < ' ' || c == '"' || c == '\\') {
      fmt::format_to(std::back_inserter(json_), "\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      json_.push_back(c);
    }
  }
  void put_code(std::size_t n_digits) {
    const std::string_view digits = text_.substr(0, n_digits);
    std::uint32_t code = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    constexpr std::uint32_t kLast = 0x10FFFF;
    if (error != std::errc() || end != digits.data() + n_digits || code > kLast) {
      problem_ = fmt::format("an escape that is none: '\\{}'", printable(digits));
      return;
    }
    text_.remove_prefix(n_digits);
    put_code_point(code);
  }
  void put_octal(char first) {
    constexpr std::size_t kMore = 2;
    auto code = static_cast<std::uint32_t>(first - '0');
    for (std::size_t at = 0; at < kMore && !text_.empty(); ++at) {
      if (text_[0] < '0' || text_[0] > '7') break;
      code = code * 8 + static_cast<std::uint32_t>(text_[0] - '0');
      text_.remove_prefix(1);
    }
    put_code_point(code);
  }
  /// As JSON's escapes: above U+FFFF two halves.
  void put_code_point(std::uint32_t code) {
    constexpr std::uint32_t kPlane = 0x10000;
    if (code < kPlane) {
      fmt::format_to(std::back_inserter(json_), "\\u{:04x}", code);
      return;
    }
    code -= kPlane;
    fmt::format_to(std::back_inserter(json_), "\\u{:04x}\\u{:04x}", 0xD800 + (code >> 10),
                   0xDC00 + (code & 0x3FF));
  }

  std::string_view text_;
  std::string& json_;
  std::string problem_;
};

}  // namespace

bool is_python_literal(std::string_view line) noexcept {
  if (!line.starts_with('{')) return false;
  line.remove_prefix(std::min(line.find_first_not_of(" \t", 1), line.size()));
  if (line.starts_with('\'')) return true;
  return line.size() > 1 && (line[0] == 'u' || line[0] == 'b') && is_quote(line[1]);
}

std::string python_to_json(std::string_view literal, std::string& json) {
  return Rewriter(literal, json).rewrite();
}

}  // namespace recloom
