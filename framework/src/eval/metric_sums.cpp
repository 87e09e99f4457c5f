#include "eval/metric_sums.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "recloom/core/error.hpp"
#include "recloom/eval/metric_keys.hpp"

namespace recloom {

MetricTable::MetricTable(std::span<const NamedMetric> metrics, const MetricContext& context)
    : ks_(context.ks.begin(), context.ks.end()),
      n_items_(static_cast<std::size_t>(context.catalogue.n_items)) {
  for (const NamedMetric& named : metrics) {
    const Metric* metric = named.metric.get();
    named.metric->prepare(context);
    needs_items_ |= metric->needs_items();
    const std::vector<std::string> keys = metric_keys(named, ks_);
    if (const auto* lists = dynamic_cast<const ListMetric*>(metric)) {
      list_metrics_.push_back({lists, keys, ks_.size() - keys.size()});
      continue;
    }
    row_metrics_.push_back({metric, column_names_.size(), keys.size()});
    column_names_.insert(column_names_.end(), keys.begin(), keys.end());
  }
}

void MetricTable::values_of(const RankedRow& row, std::span<double> values) const {
  for (const auto& [metric, first, n] : row_metrics_) metric->row(row, values.subspan(first, n));
}

std::size_t MetricTable::list_count_size() const noexcept {
  return list_metrics_.empty() ? 0 : ks_.size() * n_items_;
}

void MetricTable::count_lists(const RankedRow& row, std::span<std::int64_t> counts) const {
  if (counts.empty()) return;
  for (std::size_t index = 0; index < ks_.size(); ++index) {
    const std::size_t length = std::min(static_cast<std::size_t>(ks_[index]), row.top.size());
    for (const ItemId item : row.top.first(length))
      ++counts[index * n_items_ + static_cast<std::size_t>(item)];
  }
}

std::map<std::string, double> MetricTable::report(const MetricSums& sums,
                                                  std::span<const std::int64_t> counts) const {
  std::map<std::string, double> values;
  for (std::size_t index = 0; index < row_metrics_.size(); ++index) {
    const RowMetric& metric = row_metrics_[index];
    const double weight = sums.weights_[index];
    for (std::size_t column = metric.first; column < metric.first + metric.n; ++column)
      values[column_names_[column]] =
          weight > 0 ? sums.sums_[column] / weight : std::numeric_limits<double>::quiet_NaN();
  }
  for (const auto& [metric, keys, first_k] : list_metrics_)
    for (std::size_t key = 0; key < keys.size(); ++key) {
      const std::size_t index = first_k + key;
      values[keys[key]] =
          metric->value(counts.subspan(index * n_items_, n_items_), sums.rows(), ks_[index]);
    }
  return values;
}

void MetricSums::add(const MetricTable& table, const RankedRow& row, std::span<double> values) {
  ++rows_;
  for (std::size_t index = 0; index < table.row_metrics_.size(); ++index) {
    const auto& [metric, first, n] = table.row_metrics_[index];
    const std::span<double> own = values.subspan(first, n);
    const double weight = metric->weight(row);
    weights_[index] += weight;
    if (weight == 0) {
      // A value of a row that is left out may be anything, 0/0 included.
      std::ranges::fill(own, std::numeric_limits<double>::quiet_NaN());
      continue;
    }
    const bool is_finite = std::isfinite(weight) && weight > 0 &&
                           std::ranges::all_of(own, [](double v) { return std::isfinite(v); });
    if (!is_finite)
      throw NumericError("metric column '" + table.column_names_[first] + "': user id " +
                         std::to_string(row.row.user) + " has the value " +
                         std::to_string(own.front()) + " with weight " + std::to_string(weight) +
                         " (legal: finite values, finite weights of at least 0)");
    for (std::size_t column = 0; column < n; ++column)
      sums_[first + column] += weight * own[column];
  }
}

void MetricSums::add(const MetricSums& other) {
  rows_ += other.rows_;
  if (other.rows_ == 0) return;
  std::ranges::transform(sums_, other.sums_, sums_.begin(), std::plus{});
  std::ranges::transform(weights_, other.weights_, weights_.begin(), std::plus{});
}

}  // namespace recloom
