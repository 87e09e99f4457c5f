#include "recloom/eval/metric_keys.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <limits>

#include "core/text.hpp"

namespace recloom {
namespace {

constexpr char kAt = '@';

}  // namespace

std::string metric_key(std::string_view metric, int k) {
  return fmt::format("{}{}{}", metric, kAt, k);
}

std::vector<std::string> metric_keys(const NamedMetric& metric, std::span<const int> ks) {
  if (!metric.metric->at_k()) return {metric.name};
  std::vector<std::string> keys;
  for (const int k : ks) keys.push_back(metric_key(metric.name, k));
  return keys;
}

MetricKey parse_metric_key(std::string_view key) {
  const std::size_t at = key.find(kAt);
  if (at == std::string_view::npos) return {key, std::nullopt};
  std::int64_t k = 0;
  const bool is_k =
      parse_number(key.substr(at + 1), k) && k > 0 && k <= std::numeric_limits<int>::max();
  return {key.substr(0, at), is_k ? std::optional(static_cast<int>(k)) : std::nullopt};
}

}  // namespace recloom
