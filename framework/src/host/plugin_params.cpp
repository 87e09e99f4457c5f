// Parameters of samplers and metrics that are plugins.
#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "host/config_sections.hpp"
#include "host/metrics.hpp"

namespace recloom {
void resolve_sampler_params(TrainOptions& train, const PluginRegistry& plugins) {
  const std::string prefix = "train.sampler_params.";
  if (const auto plugin = sampler_plugin(train.sampler, plugins)) {
    train.sampler_params = plugin->resolve(train.sampler_params, prefix);
  } else if (!train.sampler_params.empty()) {
    throw ConfigError(fmt::format("{}{}: train.sampler = '{}' is no plugin and takes none", prefix,
                                  printable(train.sampler_params.values().begin()->first),
                                  printable(train.sampler)));
  }
}

void resolve_metric_params(EvalOptions& eval, const PluginRegistry& plugins) {
  const std::string prefix = "eval.metric_params.";
  Params resolved;
  std::vector<std::string> takers;
  for (const std::string& name : eval.metrics) {
    const auto plugin = metric_plugin(name, plugins);
    if (!plugin) continue;
    takers.push_back(name);
    resolved.merge_below(name,
                         plugin->resolve(eval.metric_params.below(name), prefix + name + "."));
  }
  for (const auto& [key, value] : eval.metric_params.values()) {
    const std::string name = key.substr(0, key.find('.'));
    if (name == key)
      throw ConfigError(
          fmt::format("{}{}: must be {}<metric>.<parameter>", prefix, printable(key), prefix));
    if (std::ranges::find(takers, name) == takers.end())
      throw ConfigError(fmt::format("{}{}: eval.metrics names no metric '{}' of a plugin{}", prefix,
                                    printable(key), printable(name), did_you_mean(name, takers)));
  }
  eval.metric_params = resolved;
}

}  // namespace recloom
