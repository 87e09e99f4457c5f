#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "recloom/eval/evaluator.hpp"
#include "recloom/eval/options.hpp"
#include "recloom/plugin/registry.hpp"

namespace recloom {

bool is_builtin_metric(std::string_view name);
/// Tell whether there is a usable plugin of that name and kind.
bool is_plugin(std::string_view name, std::string_view kind, const PluginRegistry& plugins);

/// Return the metrics that eval.metrics names: built-in ones, else those of plugins.
/// @throws ConfigError no such metric, with the nearest built-in name.
std::vector<NamedMetric> make_metrics(const EvalOptions& options, const PluginRegistry& plugins);
/// Return the flat keys that these metrics report: "ndcg@10", "gauc".
std::vector<std::string> metric_keys(const std::vector<NamedMetric>& metrics,
                                     const EvalOptions& options);

}  // namespace recloom
