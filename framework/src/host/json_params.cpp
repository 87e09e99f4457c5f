#include "host/json_params.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

template <class Test>
bool all_of(const Json& list, Test test) {
  return std::all_of(list.begin(), list.end(), test);
}

Value to_value(const std::string& name, const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) {
    if (all_of(json, [](const Json& e) { return e.is_number_integer(); }))
      return json.get<std::vector<std::int64_t>>();
    if (all_of(json, [](const Json& e) { return e.is_number(); }))
      return json.get<std::vector<double>>();
    if (all_of(json, [](const Json& e) { return e.is_string(); }))
      return json.get<std::vector<std::string>>();
  }
  throw ConfigError(
      fmt::format("{} = {}: no value that a parameter can have", printable(name),
                  printable(json.dump(-1, ' ', false, Json::error_handler_t::replace))));
}

void collect(const std::string& prefix, const Json& json, Params& params) {
  for (const auto& [key, value] : json.items()) {
    const std::string name = prefix.empty() ? key : prefix + "." + key;
    if (value.is_object())
      collect(name, value, params);
    else
      params.set(name, to_value(name, value));
  }
}

}  // namespace

Json to_json(const Params& params) {
  Json json = Json::object();
  for (const auto& [name, value] : params.values()) {
    Json* table = &json;
    const std::vector<std::string> parts = split(name, '.');
    for (std::size_t part = 0; part + 1 < parts.size(); ++part) table = &(*table)[parts[part]];
    std::visit([&](const auto& held) { (*table)[parts.back()] = held; }, value);
  }
  return json;
}

Params params_from_json(const Json& json) {
  Params params;
  collect("", json, params);
  return params;
}

}  // namespace recloom
