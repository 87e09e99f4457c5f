#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/eval/metric.hpp"
#include "recloom/eval/options.hpp"

namespace recloom {

/// Return the built-in metrics that `options.metrics` names, in that order.
/// @throws ConfigError unknown name, with the nearest.
RECLOOM_API std::vector<NamedMetric> builtin_metrics(const EvalOptions& options);
/// Return the names that builtin_metrics knows.
RECLOOM_API std::vector<std::string> builtin_metric_names();
/// Return one built-in metric, or null if no metric of that name is built in (a plugin may be).
RECLOOM_API std::shared_ptr<Metric> make_builtin_metric(std::string_view name,
                                                        const EvalOptions& options);
/// @param plugins names of the plugins there are, of any kind. @throws ConfigError always: unknown
/// name, what is built in, the nearest of both.
[[noreturn]] RECLOOM_API void throw_unknown_metric(std::string_view name,
                                                   std::span<const std::string> plugins = {});

}  // namespace recloom
