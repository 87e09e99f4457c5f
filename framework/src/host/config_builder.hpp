#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/config_sections.hpp"
#include "recloom/recloom.hpp"

namespace recloom {

/// A configuration that takes layers, one after the other, the later ones winning.
class ConfigBuilder {
 public:
  /// Where the parameters of a model's plugin stand.
  static constexpr std::string_view kModelParams = "model.params.";

  /// @param tables of the host whose keys are legal.
  ConfigBuilder(RunConfig config, std::span<const std::string_view> tables);
  /// @param model the plugin of config.model. @param plugins those of its metrics and sampler.
  ConfigBuilder(RunConfig config, const PluginRegistry* plugins, std::optional<Plugin> model,
                std::span<const std::string_view> tables);
  /// Take a key out of those that are legal, or more of them in.
  void forbid(std::string_view key);
  void allow(std::vector<std::string> keys);

  /// @throws ConfigError naming the layer: an unknown key, a value that is not legal for its key.
  void apply(const Layer& layer);
  /// Return the configuration, complete. @throws ConfigError values that do not go together.
  RunConfig finish();

 private:
  [[noreturn]] void refuse_unknown(const std::string& origin, const std::string& key) const;
  bool is_plugins(std::string_view key);
  Value as_typed(const std::string& key, const Value& value, const std::string& typed) const;
  void assign(const std::string& key, const Value& value);

  const PluginRegistry* plugins_;  ///< Null: there is no model.
  std::optional<Plugin> model_;
  RunConfig config_;
  bool trains_;
  std::vector<std::string> keys_;
  std::map<std::string, std::string> types_;  ///< Of keys.
};

}  // namespace recloom
