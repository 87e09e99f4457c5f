#include "host/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace recloom {
namespace {

bool is_plugin_metric(const std::string& name, const PluginRegistry& plugins) {
  const std::vector<PluginInfo> known = plugins.list();
  return std::any_of(known.begin(), known.end(), [&](const PluginInfo& plugin) {
    return plugin.usable() && plugin.kind == "metric" && plugin.name == name;
  });
}

}  // namespace

std::vector<NamedMetric> make_metrics(const EvalOptions& options, const PluginRegistry& plugins) {
  const std::vector<std::string> builtin = builtin_metric_names();
  EvalOptions one = options;
  std::vector<NamedMetric> metrics;
  for (const std::string& name : options.metrics) {
    const bool is_builtin = std::find(builtin.begin(), builtin.end(), name) != builtin.end();
    if (!is_builtin && is_plugin_metric(name, plugins)) {
      metrics.push_back({name, plugins.create_metric(name)});
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
