#include "cli/parameters.hpp"

#include <fmt/format.h>

#include <cmath>

#include "cli/table.hpp"

namespace recloom::cli {
namespace {

std::string legal(const ParamInfo& parameter) {
  if (!parameter.choices.empty()) return fmt::format("{}", fmt::join(parameter.choices, ", "));
  const bool low = std::isfinite(parameter.range.low), high = std::isfinite(parameter.range.high);
  if (low && high) return fmt::format("{} to {}", parameter.range.low, parameter.range.high);
  if (low) return fmt::format("at least {}", parameter.range.low);
  if (high) return fmt::format("at most {}", parameter.range.high);
  return "";
}

}  // namespace

std::string parameter_table(std::string_view prefix, const std::vector<ParamInfo>& parameters) {
  Table table({"parameter", "type", "default", "legal", "meaning"});
  for (const ParamInfo& parameter : parameters) {
    const std::string source =
        parameter.source.empty() ? "" : fmt::format(" [{}]", parameter.source);
    table.add({std::string(prefix) + parameter.name, parameter.type,
               to_text(parameter.default_value), legal(parameter), parameter.doc + source});
  }
  return table.text();
}

std::vector<std::string> parameter_json(std::string_view prefix,
                                        const std::vector<ParamInfo>& parameters) {
  std::vector<std::string> objects;
  for (const ParamInfo& parameter : parameters) {
    std::vector<std::string> choices;
    for (const std::string& choice : parameter.choices) choices.push_back(json_quote(choice));
    objects.push_back(json_object({{"name", json_quote(std::string(prefix) + parameter.name)},
                                   {"type", json_quote(parameter.type)},
                                   {"default", json_value(parameter.default_value)},
                                   {"legal", json_quote(legal(parameter))},
                                   {"choices", json_list(choices)},
                                   {"doc", json_quote(parameter.doc)},
                                   {"source", json_quote(parameter.source)}}));
  }
  return objects;
}

}  // namespace recloom::cli
