#pragma once
#include <memory>
#include <span>
#include <string_view>

#include "recloom/eval/metric.hpp"
#include "recloom/eval/options.hpp"

namespace recloom {

using MetricFactory = std::shared_ptr<Metric> (*)(const EvalOptions& options);
struct BuiltinMetric {
  std::string_view name;
  MetricFactory make;
};
/// Metrics of where the relevant items stand.
std::span<const BuiltinMetric> rank_metrics();
/// Metrics of which items are recommended.
std::span<const BuiltinMetric> item_metrics();

}  // namespace recloom
