// Formulas: RecBole 1.2.1, recbole/evaluator/metrics.py, in double precision. Lists may be shorter
// than k where a row has fewer candidates: metrics of a row divide by k all the same, metrics of
// all lists look at the places that are filled.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

#include "eval/builtin_metrics.hpp"

namespace recloom {
namespace {

double total(std::span<const std::int64_t> counts) {
  return static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
}

/// Recommended items as a share of all item ids, padding included (as RecBole's item_num).
class ItemCoverage final : public ListMetric {
  double value(std::span<const std::int64_t> counts, std::int64_t, int) const override {
    const auto recommended = std::ranges::count_if(counts, [](std::int64_t c) { return c > 0; });
    return static_cast<double>(recommended) / static_cast<double>(counts.size());
  }
};

/// Entropy of the recommended items in nats, divided by their number.
class ShannonEntropy final : public ListMetric {
  double value(std::span<const std::int64_t> counts, std::int64_t, int) const override {
    const double sum = total(counts);
    double entropy = 0, recommended = 0;
    for (const std::int64_t count : counts) {
      if (count == 0) continue;
      const double share = static_cast<double>(count) / sum;
      entropy -= share * std::log(share);
      ++recommended;
    }
    return recommended == 0 ? 0 : entropy / recommended;
  }
};

/// Gini index of how often each item id (padding included) is recommended.
class GiniIndex final : public ListMetric {
 public:
  bool higher_is_better() const noexcept override { return false; }

 private:
  double value(std::span<const std::int64_t> counts, std::int64_t, int) const override {
    std::vector<std::int64_t> ascending(counts.begin(), counts.end());
    std::ranges::sort(ascending);
    const auto n = static_cast<double>(ascending.size());
    double sum = 0, place = 0;
    for (const std::int64_t count : ascending)
      sum += (2 * ++place - n - 1) * static_cast<double>(count);
    const double places = total(counts);
    return places == 0 ? 0 : sum / (n * places);
  }
};

/// Mean over the first k of a value per item.
class ItemMean : public Metric {
 public:
  bool needs_items() const noexcept override { return true; }
  void prepare(const MetricContext& context) override {
    ks_.assign(context.ks.begin(), context.ks.end());
    values_ = item_values(context.item_counts);
    values_.resize(static_cast<std::size_t>(context.catalogue.n_items));
  }
  void row(const RankedRow& row, std::span<double> values) const override {
    double sum = 0;
    std::size_t place = 0;
    for (std::size_t index = 0; index < ks_.size(); ++index) {
      const auto k = static_cast<std::size_t>(ks_[index]);
      for (; place < std::min(k, row.top.size()); ++place)
        sum += values_[static_cast<std::size_t>(row.top[place])];
      values[index] = sum / static_cast<double>(k);
    }
  }

 private:
  virtual std::vector<double> item_values(std::span<const std::int64_t> counts) const = 0;

  std::vector<int> ks_;
  std::vector<double> values_;  ///< [n_items]
};

/// Mean number of training targets of the recommended items.
class AveragePopularity final : public ItemMean {
 public:
  bool higher_is_better() const noexcept override { return false; }

 private:
  std::vector<double> item_values(std::span<const std::int64_t> counts) const override {
    return {counts.begin(), counts.end()};
  }
};

/// Share of recommended items that are in the tail: the least frequent `tail_ratio` of the items
/// with a training target (at least one), or, above 1, those with at most that count. Items that
/// were never trained are no tail, as in RecBole.
class TailPercentage final : public ItemMean {
 public:
  explicit TailPercentage(double tail_ratio) : tail_ratio_(tail_ratio) {}

 private:
  std::vector<double> item_values(std::span<const std::int64_t> counts) const override {
    std::vector<std::pair<std::int64_t, std::size_t>> trained;  // (count, id)
    for (std::size_t item = 1; item < counts.size(); ++item)
      if (counts[item] > 0) trained.emplace_back(counts[item], item);
    std::ranges::sort(trained);
    std::vector<double> in_tail(counts.size());
    const double size =
        std::max(std::floor(tail_ratio_ * static_cast<double>(trained.size())), 1.0);
    for (std::size_t place = 0; place < trained.size(); ++place) {
      const auto [count, item] = trained[place];
      const bool tail = tail_ratio_ > 1 ? static_cast<double>(count) <= tail_ratio_
                                        : static_cast<double>(place) < size;
      in_tail[item] = tail ? 1 : 0;
    }
    return in_tail;
  }

  double tail_ratio_;
};

template <class T>
std::shared_ptr<Metric> make(const EvalOptions& options) {
  if constexpr (std::is_constructible_v<T, double>) {
    return std::make_shared<T>(options.tail_ratio);
  } else {
    return std::make_shared<T>();
  }
}

constexpr BuiltinMetric kMetrics[] = {{"itemcoverage", make<ItemCoverage>},
                                      {"averagepopularity", make<AveragePopularity>},
                                      {"shannonentropy", make<ShannonEntropy>},
                                      {"giniindex", make<GiniIndex>},
                                      {"tailpercentage", make<TailPercentage>}};

}  // namespace

std::span<const BuiltinMetric> item_metrics() { return kMetrics; }

}  // namespace recloom
