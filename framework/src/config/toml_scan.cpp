#include "config/toml_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/text.hpp"
#include "core/utf8.hpp"

namespace recloom {
namespace {

constexpr int kMostBrackets = 32;
constexpr int kMostDots = 15;  // Between the parts of a key; a value has one or two.

/// Letters, digits, - and _ between the dots of a key, and blanks around these.
bool may_be_of_key(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == ' ' || c == '\t';
}

/// Walks over a document, outside of its strings and comments.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::optional<TomlProblem> run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'')
        skip_string(c);
      else if (c == '#')
        at_ = std::min(text_.find('\n', at_), text_.size());
      else if (auto problem = step(c))
        return problem;
    }
    return std::nullopt;
  }

 private:
  std::optional<TomlProblem> step(char c) {
    ++at_;
    if (c == '[' || c == '{') ++brackets_;
    if (c == ']' || c == '}') --brackets_;
    if (c == '.')
      ++dots_;
    else if (!may_be_of_key(c))
      dots_ = 0;
    if (brackets_ > kMostBrackets)
      return problem(fmt::format("brackets are nested deeper than {} times", kMostBrackets));
    if (dots_ > kMostDots)
      return problem(fmt::format("a key has more than {} parts", kMostDots + 1));
    return std::nullopt;
  }

  // A string that does not end leaves the rest to the parser, which refuses it there.
  void skip_string(char quote) {
    const std::string three(3, quote);
    const bool is_long = text_.substr(at_).starts_with(three);
    const std::string_view end = std::string_view(three).substr(0, is_long ? 3 : 1);
    for (at_ += end.size(); at_ < text_.size(); ++at_) {
      if (quote == '"' && text_[at_] == '\\') {
        ++at_;
      } else if (text_.substr(at_).starts_with(end)) {
        at_ += end.size();
        // Two more quotes before the end of a long string belong to it.
        for (int more = 0; is_long && more < 2 && at_ < text_.size() && text_[at_] == quote; ++more)
          ++at_;
        return;
      } else if (!is_long && text_[at_] == '\n') {
        return;
      }
    }
  }

  TomlProblem problem(std::string what) const {
    const std::string_view before = text_.substr(0, at_);
    return {1 + static_cast<int>(std::ranges::count(before, '\n')), std::move(what), true};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int brackets_ = 0, dots_ = 0;
};

/// The first character that no TOML document may have.
std::optional<TomlProblem> find_bad_character(std::string_view text) {
  int line = 1;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    const bool is_control =
        first == 0x7f || (first < 0x20 && first != '\t' && first != '\n' && first != '\r');
    if (length == 0 || is_control)
      return TomlProblem{line, fmt::format("'{}' is {}", printable(text.substr(0, 1)),
                                           length == 0 ? "no UTF-8" : "a control character")};
    line += first == '\n';
    text.remove_prefix(length);
  }
  return std::nullopt;
}

}  // namespace

std::optional<TomlProblem> find_toml_problem(std::string_view text) {
  if (auto problem = find_bad_character(text)) return problem;
  return Scanner(text).run();
}

}  // namespace recloom
