#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "recloom/core/export.hpp"
#include "recloom/core/types.hpp"
#include "recloom/data/batch.hpp"

namespace recloom {

/// What is known of one evaluated row when its ranking is done.
struct RankedRow {
  Row row;  ///< targets: what is relevant.
  /// 1-based rank of each relevant item, ascending, ties by the protocol's rule (a mean rank may be
  /// fractional). An item that cannot be ranked (unknown, masked) has rank infinity.
  std::span<const double> ranks;
  /// The same with mean ranks whatever the protocol's rule: what GAUC is defined by.
  std::span<const double> mean_ranks;
  std::int64_t n_candidates = 0;
  /// Best first, ties by smaller id; max(K) items, or all candidates where there are fewer. Empty
  /// unless a metric needs_items().
  std::span<const ItemId> top;
};

/// What a metric may know of the data set.
struct MetricContext {
  Catalogue catalogue;
  std::span<const std::int64_t> item_counts;  ///< Training targets of every item, [n_items].
  std::span<const int> ks;                    ///< Ascending.
};

/// A metric with one value per row; the report has its (weighted) mean, the per-row file each
/// value.
class RECLOOM_API Metric {
 public:
  virtual ~Metric();
  virtual bool needs_items() const noexcept;       ///< Default false: no top-k lists are made.
  virtual bool higher_is_better() const noexcept;  ///< Default true.
  virtual bool at_k()
      const noexcept;  ///< Default true: one value per k; false: one value, no "@k".
  /// Called once before the rows.
  virtual void prepare(const MetricContext& context);
  /// @param[out] values one per k in context.ks (one if not at_k()). Thread safety: any number of
  /// callers.
  virtual void row(const RankedRow& row, std::span<double> values) const = 0;
  /// Weight of a row in the mean, for every k alike; 0 leaves it out. Values are finite also then.
  /// Default 1.
  virtual double weight(const RankedRow& row) const;
};

/// A metric of all lists together (coverage, Gini). One that is not at_k() has one value, of the
/// longest lists.
class RECLOOM_API ListMetric : public Metric {
 public:
  bool needs_items() const noexcept final;
  void row(const RankedRow& row, std::span<double> values) const final;
  /// @param counts [n_items], how often an item is in the top k of a row. @param k each of
  /// context.ks; the largest alone if not at_k().
  virtual double value(std::span<const std::int64_t> counts, std::int64_t n_rows, int k) const = 0;
};

/// A metric as eval.metrics names it.
struct NamedMetric {
  std::string name;
  std::shared_ptr<Metric> metric;
};

}  // namespace recloom
