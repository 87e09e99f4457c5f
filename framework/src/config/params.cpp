#include "recloom/config/params.hpp"

#include <fmt/format.h>

#include <cmath>
#include <type_traits>

#include "core/utf8.hpp"

namespace recloom {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : escape_bytes(text)) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string scalar(bool value) { return value ? "true" : "false"; }
std::string scalar(std::int64_t value) { return fmt::to_string(value); }
std::string scalar(double value) {
  std::string text = fmt::format("{}", value);  // Shortest form that reads back to the same bits.
  if (std::isfinite(value) && text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}
std::string scalar(const std::string& value) { return quoted(value); }

}  // namespace

const Value* Params::find(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

void Params::merge(const Params& other) {
  for (const auto& [name, value] : other.values_) values_.insert_or_assign(name, value);
}

Params Params::below(std::string_view prefix) const {
  const std::string start = std::string(prefix) + '.';
  Params found;
  for (auto it = values_.lower_bound(start); it != values_.end() && it->first.starts_with(start);
       ++it)
    found.set(it->first.substr(start.size()), it->second);
  return found;
}

void Params::merge_below(std::string_view prefix, const Params& other) {
  for (const auto& [name, value] : other.values_)
    values_.insert_or_assign(fmt::format("{}.{}", prefix, name), value);
}

std::string to_text(const Value& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_arithmetic_v<Held> || std::is_same_v<Held, std::string>) {
          return scalar(held);
        } else {
          std::string list = "[";
          for (const auto& element : held) {
            if (list.size() > 1) list += ", ";
            list += scalar(element);
          }
          return list + "]";
        }
      },
      value);
}

}  // namespace recloom
