#include "recloom/eval/metric_registry.hpp"

#include <algorithm>
#include <utility>

#include "core/text.hpp"
#include "eval/builtin_metrics.hpp"
#include "recloom/core/error.hpp"
#include "recloom/eval/metric_keys.hpp"

namespace recloom {

std::vector<std::string> builtin_metric_names() {
  std::vector<std::string> names;
  for (const auto group : {rank_metrics(), item_metrics()})
    for (const BuiltinMetric& metric : group) names.emplace_back(metric.name);
  return names;
}

std::shared_ptr<Metric> make_builtin_metric(std::string_view name, const EvalOptions& options) {
  for (const auto group : {rank_metrics(), item_metrics()})
    for (const BuiltinMetric& metric : group)
      if (metric.name == name) return metric.make(options);
  return nullptr;
}

void throw_unknown_metric(std::string_view name, std::span<const std::string> plugins) {
  std::vector<std::string> known = builtin_metric_names();
  std::string list;
  for (const std::string& each : known) list += each + ", ";
  known.insert(known.end(), plugins.begin(), plugins.end());
  // RecBole's configurations write NDCG, a common slip is ndcg@10.
  std::string guess(parse_metric_key(name).metric);
  std::ranges::transform(guess, guess.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  throw ConfigError("eval.metrics: unknown metric '" + printable(name) + "', must be one of " +
                    list + "a plugin" + did_you_mean(guess, known));
}

std::vector<NamedMetric> builtin_metrics(const EvalOptions& options) {
  std::vector<NamedMetric> metrics;
  for (const std::string& name : options.metrics) {
    std::shared_ptr<Metric> metric = make_builtin_metric(name, options);
    if (!metric) throw_unknown_metric(name);
    metrics.push_back({name, std::move(metric)});
  }
  return metrics;
}

}  // namespace recloom
