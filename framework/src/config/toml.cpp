#include "config/toml.hpp"

#include <fmt/format.h>
// Malformed text gets past what toml++ asserts ("[,"); its errors tell of it all the same.
#define TOML_ASSERT(expr) static_cast<void>(0)
#include <toml++/toml.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "config/toml_scan.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr std::size_t kLongestToml = 1 << 20;
constexpr int kMostNested = 64;  // Of what is written; more than can be read.

/// A date or time as it is written; nothing for everything else.
std::optional<std::string> date_text(const toml::node& node) {
  std::ostringstream text;
  if (const auto* date = node.as_date())
    text << *date;
  else if (const auto* time = node.as_time())
    text << *time;
  else if (const auto* both = node.as_date_time())
    text << *both;
  else
    return std::nullopt;
  return text.str();
}

std::optional<Value> to_list(const toml::array& array) {
  if (array.empty()) return Value(std::vector<std::string>());
  std::vector<std::int64_t> integers;
  std::vector<double> reals;
  std::vector<std::string> texts;
  for (const toml::node& node : array) {
    if (const auto* integer = node.as_integer()) {
      integers.push_back(integer->get());
      reals.push_back(static_cast<double>(integer->get()));
    } else if (const auto* real = node.as_floating_point()) {
      reals.push_back(real->get());
    } else if (const auto* text = node.as_string()) {
      texts.push_back(unescape_bytes(text->get()));
    } else if (auto date = date_text(node)) {
      texts.push_back(std::move(*date));
    }
  }
  if (integers.size() == array.size()) return Value(std::move(integers));
  if (reals.size() == array.size()) return Value(std::move(reals));
  if (texts.size() == array.size()) return Value(std::move(texts));
  return std::nullopt;
}

std::optional<Value> to_value(const toml::node& node) {
  if (const auto* flag = node.as_boolean()) return Value(flag->get());
  if (const auto* integer = node.as_integer()) return Value(std::int64_t{integer->get()});
  if (const auto* real = node.as_floating_point()) return Value(real->get());
  if (const auto* text = node.as_string()) return Value(unescape_bytes(text->get()));
  if (auto date = date_text(node)) return Value(std::move(*date));
  if (const auto* array = node.as_array()) return to_list(*array);
  return std::nullopt;
}

void flatten(const toml::table& table, const std::string& prefix, const std::string& file,
             Params& params) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const toml::table* nested = node.as_table()) {
      flatten(*nested, name + '.', file, params);
      continue;
    }
    std::optional<Value> value = to_value(node);
    if (!value)
      throw ConfigError(fmt::format(
          "{}:{}: {} must be true, false, a number, a text, or a list of numbers or of texts", file,
          node.source().begin.line, printable(name)));
    params.set(name, std::move(*value));
  }
}

std::string key_text(const std::string& key) {
  const auto bare = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !key.empty() && std::all_of(key.begin(), key.end(), bare) ? key : to_text(Value(key));
}

// Writes a table: its own values, then the tables in it.
void write_table(const Params& params, const std::string& path, std::string& out, int depth = 0) {
  if (depth > kMostNested) throw InternalError("settings are nested too deep to be written");
  std::string own;
  std::vector<std::string> nested;
  for (const auto& [name, value] : params.values()) {
    const std::size_t dot = name.find('.');
    if (dot == std::string::npos)
      own += fmt::format("{} = {}\n", key_text(name), to_text(value));
    else if (nested.empty() || nested.back() != name.substr(0, dot))
      nested.push_back(name.substr(0, dot));
  }
  std::sort(nested.begin(), nested.end());
  nested.erase(std::unique(nested.begin(), nested.end()), nested.end());
  if (!own.empty() && !path.empty()) out += fmt::format("{}[{}]\n", out.empty() ? "" : "\n", path);
  out += own;
  for (const std::string& key : nested)
    write_table(params.below(key), path.empty() ? key_text(key) : path + '.' + key_text(key), out,
                depth + 1);
}

}  // namespace

Params parse_toml(std::string_view text, const std::string& name) {
  const std::string file = printable(name, 400);
  Params params;
  if (const auto problem = find_toml_problem(text))
    throw ConfigError(fmt::format("{}:{}: {}", file, problem->line, problem->what));
  try {
    flatten(toml::parse(text), "", file, params);
  } catch (const toml::parse_error& error) {
    throw ConfigError(fmt::format("{}:{}: {}", file, error.source().begin.line,
                                  printable(error.description(), 200)));
  }
  return params;
}

Params parse_toml_file(const std::string& file) {
  return parse_toml(read_file(file, kLongestToml), file);
}

std::string to_toml(const Params& params) {
  std::string out;
  write_table(params, "", out);
  return out;
}

Value parse_value(std::string_view text) {
  const std::string line = "value = " + std::string(text);
  if (const auto problem = find_toml_problem(line)) {
    if (problem->nested) throw ConfigError(fmt::format("'{}': {}", printable(text), problem->what));
    return std::string(text);
  }
  try {
    const toml::table table = toml::parse(line);
    const toml::node* node = table.size() == 1 ? table.get("value") : nullptr;
    if (std::optional<Value> value = node ? to_value(*node) : std::nullopt) return *value;
  } catch (const toml::parse_error&) {
    // Bare text, below; but ".5" and "1." are numbers for everyone except TOML.
    double number = 0;
    if (text.find('.') != std::string_view::npos && parse_number(text, number)) return number;
  }
  return std::string(text);
}

}  // namespace recloom
