#include "host/json_params.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/text.hpp"
#include "core/utf8.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

template <class Test>
bool all_of(const Json& list, Test test) {
  return std::all_of(list.begin(), list.end(), test);
}

/// Whether it is an integer that a parameter can hold: larger ones would become negative.
bool is_integer(const Json& json) {
  if (!json.is_number_unsigned()) return json.is_number_integer();
  return std::in_range<std::int64_t>(json.get<std::uint64_t>());
}

Value to_value(const std::string& name, const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (is_integer(json)) return json.get<std::int64_t>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_string()) return unescape_bytes(json.get<std::string>());
  if (json.is_array()) {
    if (all_of(json, is_integer)) return json.get<std::vector<std::int64_t>>();
    if (all_of(json, [](const Json& e) { return is_integer(e) || e.is_number_float(); }))
      return json.get<std::vector<double>>();
    if (all_of(json, [](const Json& e) { return e.is_string(); })) {
      std::vector<std::string> texts;
      for (const Json& text : json) texts.push_back(unescape_bytes(text.get<std::string>()));
      return texts;
    }
  }
  throw ConfigError(fmt::format("{} = {}: no value that a parameter can have", printable(name),
                                printable(dump_json(json))));
}

void collect(const std::string& prefix, const Json& json, Params& params) {
  for (const auto& [key, value] : json.items()) {
    // Keys of nested objects are joined by dots, so one that has some says where it does not lie.
    if (key.empty() || key.find('.') != std::string::npos)
      throw ConfigError(fmt::format("'{}' is no name of a parameter", printable(key)));
    const std::string name = prefix.empty() ? key : prefix + "." + key;
    if (value.is_object() && value.empty())
      throw ConfigError(fmt::format("{} holds nothing", printable(name)));
    if (value.is_object())
      collect(name, value, params);
    else
      params.set(name, to_value(name, value));
  }
}

template <class Held>
Json as_json(const Held& held) {
  return held;
}
Json as_json(const std::string& text) { return escape_bytes(text); }
Json as_json(const std::vector<std::string>& texts) {
  Json list = Json::array();
  for (const std::string& text : texts) list.push_back(escape_bytes(text));
  return list;
}

}  // namespace

Json to_json(const Params& params) {
  Json json = Json::object();
  for (const auto& [name, value] : params.values()) {
    Json* table = &json;
    const std::vector<std::string> parts = split(name, '.');
    for (std::size_t part = 0; part + 1 < parts.size(); ++part) table = &(*table)[parts[part]];
    std::visit([&](const auto& held) { (*table)[parts.back()] = as_json(held); }, value);
  }
  return json;
}

Params params_from_json(const Json& json) {
  Params params;
  collect("", json, params);
  return params;
}

}  // namespace recloom
