#include "host/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "recloom/core/error.hpp"
#include "recloom/eval/metric_registry.hpp"
#include "recloom/train/trainer.hpp"

namespace recloom {
namespace {

Plugin open_as(std::string_view kind, std::string_view setting, const std::string& name,
               const PluginRegistry& plugins) {
  Plugin plugin = plugins.open(name);
  if (plugin.info().kind != kind)
    throw ConfigError(
        fmt::format("{}: plugin '{}' is a {}, not a {}", setting, name, plugin.info().kind, kind));
  return plugin;
}

}  // namespace

std::optional<Plugin> metric_plugin(const std::string& name, const PluginRegistry& plugins) {
  if (std::ranges::count(builtin_metric_names(), name) > 0) return std::nullopt;
  if (!plugins.has(name)) throw_unknown_metric(name, plugins.names());
  return open_as("metric", "eval.metrics", name, plugins);
}

std::optional<Plugin> sampler_plugin(const std::string& name, const PluginRegistry& plugins) {
  std::vector<std::string> known = builtin_sampler_names();
  if (std::ranges::count(known, name) > 0) return std::nullopt;
  if (plugins.has(name)) return open_as("sampler", "train.sampler", name, plugins);
  const std::vector<std::string> names = plugins.names();
  known.insert(known.end(), names.begin(), names.end());
  throw ConfigError(fmt::format("train.sampler = '{}' is neither {} nor a plugin{}",
                                printable(name), fmt::join(builtin_sampler_names(), ", "),
                                did_you_mean(name, known)));
}

std::vector<NamedMetric> make_metrics(const EvalOptions& options, const PluginRegistry& plugins) {
  EvalOptions one = options;
  std::vector<NamedMetric> metrics;
  for (const std::string& name : options.metrics) {
    if (const auto plugin = metric_plugin(name, plugins)) {
      metrics.push_back({name, plugin->create_metric(options.metric_params.below(name))});
      continue;
    }
    one.metrics = {name};
    for (NamedMetric& metric : builtin_metrics(one)) metrics.push_back(std::move(metric));
  }
  return metrics;
}

}  // namespace recloom
