#include "data/setting_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "core/text.hpp"

namespace recloom {

std::string setting_text(std::string_view key, const std::string& value) {
  const bool plain = !value.empty() && std::all_of(value.begin(), value.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("_-.:,/+=").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (value == "\t") return fmt::format("--set '{}=\\t'", key);
  const bool blank = trim(value).size() != value.size();
  const std::string text = printable(blank ? '"' + value + '"' : value);
  return plain ? fmt::format("--set {}={}", key, text) : fmt::format("--set '{}={}'", key, text);
}

}  // namespace recloom
