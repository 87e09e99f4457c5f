#include "config/set_option.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/toml.hpp"
#include "core/text.hpp"

namespace recloom {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-+.,:/@%=").find(c) != std::string_view::npos;
}

std::string in_quotes(std::string_view text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
  return word + "'";
}

}  // namespace

std::string set_option(std::string_view key, const Value& value) {
  std::string text = to_text(value);
  if (const auto* bare = std::get_if<std::string>(&value);
      bare && !bare->empty() && trim(*bare).size() == bare->size() && parse_value(*bare) == value)
    text = *bare;
  const std::string setting = fmt::format("{}={}", key, text);
  const bool plain = std::all_of(setting.begin(), setting.end(), is_plain);
  return "--set " + (plain ? setting : in_quotes(setting));
}

}  // namespace recloom
