#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "recloom/eval/metric.hpp"

namespace recloom {

class MetricSums;

/// The metrics of one evaluation and where their values lie: one column per key of those that have
/// a value per row; the others look at all lists together.
class MetricTable {
 public:
  /// Prepares the metrics.
  MetricTable(std::span<const NamedMetric> metrics, const MetricContext& context);

  bool needs_items() const noexcept { return needs_items_; }
  std::size_t width() const noexcept { return column_names_.size(); }
  const std::vector<std::string>& column_names() const noexcept { return column_names_; }
  std::size_t n_row_metrics() const noexcept { return row_metrics_.size(); }

  /// Compute a row's values. @param[out] values [width()].
  void values_of(const RankedRow& row, std::span<double> values) const;
  /// Return the size of the counts of recommended items; 0 if no metric looks at them.
  std::size_t list_count_size() const noexcept;
  /// Add a row's list. @param counts [ks, n_items].
  void count_lists(const RankedRow& row, std::span<std::int64_t> counts) const;
  /// Reduce to what the report says.
  std::map<std::string, double> report(const MetricSums& sums,
                                       std::span<const std::int64_t> counts) const;

 private:
  friend class MetricSums;
  struct RowMetric {
    const Metric* metric;
    std::size_t first, n;  ///< Its columns.
  };
  struct AllListsMetric {
    const ListMetric* metric;
    std::vector<std::string> keys;
    std::size_t first_k;  ///< Index of the K that the first key stands for.
  };

  std::vector<int> ks_;
  std::size_t n_items_;
  bool needs_items_ = false;
  std::vector<RowMetric> row_metrics_;
  std::vector<AllListsMetric> list_metrics_;
  std::vector<std::string> column_names_;
};

/// Weighted sums of the values of some rows. Added in a fixed order, they are the same bits however
/// many threads made them.
class MetricSums {
 public:
  MetricSums() = default;  ///< Of no rows and no metrics.
  explicit MetricSums(const MetricTable& table)
      : sums_(table.width()), weights_(table.n_row_metrics()) {}
  /// Add a row. Where it has no weight, its values are set to NaN.
  void add(const MetricTable& table, const RankedRow& row, std::span<double> values);
  void add(const MetricSums& other);
  std::int64_t rows() const noexcept { return rows_; }

 private:
  friend class MetricTable;
  std::int64_t rows_ = 0;
  std::vector<double> sums_;     ///< Per column.
  std::vector<double> weights_;  ///< Per metric.
};

}  // namespace recloom
