#pragma once
#include <optional>
#include <string>
#include <vector>

#include "recloom/eval/metric.hpp"
#include "recloom/eval/options.hpp"
#include "recloom/plugin/registry.hpp"

namespace recloom {

/// Return the plugin that eval.metrics names, or nothing for a built-in metric: a built-in name
/// opens no plugin.
/// @throws ConfigError a name that is neither, with the nearest one; a plugin of another kind.
/// PluginError as PluginRegistry::open().
std::optional<Plugin> metric_plugin(const std::string& name, const PluginRegistry& plugins);
/// The same of train.sampler.
std::optional<Plugin> sampler_plugin(const std::string& name, const PluginRegistry& plugins);

/// Return the metrics that eval.metrics names: built-in ones, else those of plugins.
/// @throws as metric_plugin().
std::vector<NamedMetric> make_metrics(const EvalOptions& options, const PluginRegistry& plugins);

}  // namespace recloom
