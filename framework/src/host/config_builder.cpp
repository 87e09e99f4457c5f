#include "host/config_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "core/text.hpp"
#include "host/foreign_names.hpp"
#include "host/metrics.hpp"

namespace recloom {
namespace {

/// The elements of a list that is typed without quotation marks: [a, b], a [3,inf), 10. A comma
/// within brackets parts nothing.
std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> list;
  if (text.starts_with('[') && text.ends_with(']'))
    text = text.substr(1, text.size() - 2);
  else
    return {std::string(text)};
  int depth = 0;
  std::string element;
  const auto end_element = [&] {
    std::string_view word = trim(element);
    const bool quoted = word.size() > 1 && word.front() == word.back() &&
                        (word.front() == '"' || word.front() == '\'');
    list.emplace_back(quoted ? word.substr(1, word.size() - 2) : word);
    element.clear();
  };
  for (const char c : text) {
    depth += (c == '[' || c == '(') - (c == ']' || c == ')');
    if (c == ',' && depth == 0)
      end_element();
    else
      element += c;
  }
  if (!list.empty() || !trim(element).empty()) end_element();
  return list;
}

/// TOML's integers end at 2^63 - 1; a larger seed is a text of digits.
std::uint64_t seed_of(const Value& value) {
  std::uint64_t seed = 0;
  if (const auto* number = std::get_if<std::int64_t>(&value); number && *number >= 0)
    return static_cast<std::uint64_t>(*number);
  if (const auto* text = std::get_if<std::string>(&value); text && parse_number(*text, seed))
    return seed;
  throw ConfigError(fmt::format("seed is {}, must be an integer from 0 to {}", to_text(value),
                                std::numeric_limits<std::uint64_t>::max()));
}

}  // namespace

ConfigBuilder::ConfigBuilder(RunConfig config, std::span<const std::string_view> tables)
    : ConfigBuilder(std::move(config), nullptr, std::nullopt, tables) {}

ConfigBuilder::ConfigBuilder(RunConfig config, const PluginRegistry* plugins,
                             std::optional<Plugin> model, std::span<const std::string_view> tables)
    : plugins_(plugins),
      model_(std::move(model)),
      config_(std::move(config)),
      trains_(std::ranges::find(tables, "train") != tables.end()) {
  for (const std::string& key : host_keys())
    if (std::find(tables.begin(), tables.end(), key.substr(0, key.find('.'))) != tables.end())
      keys_.push_back(key);
  for (const auto& [key, type] : host_types()) types_.emplace(key, type);
  if (!model_) return;
  for (const ParamInfo& parameter : model_->describe())
    types_.emplace(std::string(kModelParams) + parameter.name, parameter.type);
}

void ConfigBuilder::forbid(std::string_view key) { std::erase(keys_, key); }

void ConfigBuilder::allow(std::vector<std::string> keys) {
  keys_.insert(keys_.end(), keys.begin(), keys.end());
}

void ConfigBuilder::apply(const Layer& layer) {
  for (const auto& [key, value] : layer.values.values()) {
    if (!is_plugins(key) && std::find(keys_.begin(), keys_.end(), key) == keys_.end())
      refuse_unknown(layer.origin, key);
    try {
      assign(key, as_typed(key, value, layer.typed));
    } catch (const ConfigError& error) {
      throw ConfigError(fmt::format("{}: {}", layer.origin, error.what()));
    }
  }
}

RunConfig ConfigBuilder::finish() {
  config_.data.validate();
  config_.split.validate();
  if (trains_) {
    config_.train.validate();
    if (config_.split.mode == SplitMode::test)
      throw ConfigError(
          "split.mode = \"test\" leaves no row to train on: it is for recloom evaluate (--set "
          "split.mode=none trains on all rows, leave_one_out on all but each user's last two)");
  }
  if (!plugins_) return std::move(config_);
  config_.model_params = model_->resolve(config_.model_params, kModelParams);
  resolve_metric_params(config_.eval, *plugins_);
  if (trains_) resolve_sampler_params(config_.train, *plugins_);
  config_.eval.validate();
  make_metrics(config_.eval, *plugins_);  // Names that nothing goes by are known here.
  return std::move(config_);
}

void ConfigBuilder::refuse_unknown(const std::string& origin, const std::string& key) const {
  const std::string foreign = foreign_name_hint(key, keys_);
  throw ConfigError(fmt::format("{}: unknown key '{}'{}", origin, printable(key),
                                foreign.empty() ? did_you_mean(key, keys_) : foreign));
}

/// Whether a key belongs to a plugin that is known only when all layers are read.
bool ConfigBuilder::is_plugins(std::string_view key) {
  bool found = false;
  for_each_plugin_params(config_, [&](const std::string& prefix, const Params&) {
    found = found || (plugins_ && key.starts_with(prefix + "."));
  });
  return found;
}

/// What is typed for a key of text is text, though it looks like a number.
Value ConfigBuilder::as_typed(const std::string& key, const Value& value,
                              const std::string& typed) const {
  const auto type = types_.find(key);
  if (typed.empty() || type == types_.end()) return value;
  if (type->second == "text" && !std::holds_alternative<std::string>(value)) return typed;
  if (type->second == "texts" && !std::holds_alternative<std::vector<std::string>>(value))
    return split_list(typed);
  return value;
}

void ConfigBuilder::assign(const std::string& key, const Value& value) {
  if (key == "seed") {
    config_.seed = seed_of(value);
  } else if (key.starts_with(kModelParams)) {
    config_.model_params.set(key.substr(kModelParams.size()), value);
    model_->resolve(config_.model_params, kModelParams);
  }
  if (is_plugins(key)) {
    for_each_plugin_params(config_, [&](const std::string& prefix, Params& params) {
      if (key.starts_with(prefix + ".")) params.set(key.substr(prefix.size() + 1), value);
    });
    return;
  }
  const std::size_t dot = key.find('.');
  Params one;
  one.set(key.substr(dot + 1), value);
  for_each_section(config_, [&](std::string_view table, auto& options) {
    if (table == key.substr(0, dot)) assign_section(table, options, one);
  });
}

}  // namespace recloom
