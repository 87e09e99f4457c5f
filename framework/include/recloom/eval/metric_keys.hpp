#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/eval/metric.hpp"

// The flat keys of reports: "ndcg@10", or "gauc" for a metric that is not at_k().
namespace recloom {

/// Return the key of a metric at k.
RECLOOM_API std::string metric_key(std::string_view metric, int k);
/// Return the keys that a metric reports, one for each of its values.
RECLOOM_API std::vector<std::string> metric_keys(const NamedMetric& metric,
                                                 std::span<const int> ks);

/// What a key says.
struct MetricKey {
  std::string_view metric;  ///< A part of the text that was read.
  std::optional<int> k;     ///< None: there is no "@k" with a k >= 1.
};
/// Read any text as a key.
RECLOOM_API MetricKey parse_metric_key(std::string_view key);

}  // namespace recloom
