#include "host/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace recloom {
bool is_builtin_metric(std::string_view name) {
  const std::vector<std::string> builtin = builtin_metric_names();
  return std::find(builtin.begin(), builtin.end(), name) != builtin.end();
}

bool is_plugin(std::string_view name, std::string_view kind, const PluginRegistry& plugins) {
  const std::vector<PluginInfo> known = plugins.list();
  return std::any_of(known.begin(), known.end(), [&](const PluginInfo& plugin) {
    return plugin.usable() && plugin.kind == kind && plugin.name == name;
  });
}

std::vector<NamedMetric> make_metrics(const EvalOptions& options, const PluginRegistry& plugins) {
  EvalOptions one = options;
  std::vector<NamedMetric> metrics;
  for (const std::string& name : options.metrics) {
    if (!is_builtin_metric(name) && is_plugin(name, "metric", plugins)) {
      metrics.push_back({name, plugins.create_metric(name, options.metric_params.below(name))});
      continue;
    }
    one.metrics = {name};
    for (NamedMetric& metric : builtin_metrics(one)) metrics.push_back(std::move(metric));
  }
  return metrics;
}

std::vector<std::string> metric_keys(const std::vector<NamedMetric>& metrics,
                                     const EvalOptions& options) {
  std::vector<std::string> keys;
  for (const NamedMetric& metric : metrics) {
    if (!metric.metric->at_k()) {
      keys.push_back(metric.name);
      continue;
    }
    for (const int k : options.topk) keys.push_back(fmt::format("{}@{}", metric.name, k));
  }
  return keys;
}

}  // namespace recloom
