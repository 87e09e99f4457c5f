// Formulas: RecBole 1.2.1, recbole/evaluator/metrics.py, in double precision. P: relevant items of
// a row (those that cannot be ranked included), r: their ranks, ascending; h: how many are <= k.
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "eval/builtin_metrics.hpp"

namespace recloom {
namespace {

constexpr double kUnranked = std::numeric_limits<double>::infinity();

double n_relevant(const RankedRow& row) { return static_cast<double>(row.ranks.size()); }

/// A metric that is a function of the ranks and one k.
class RankMetric : public Metric {
 public:
  void prepare(const MetricContext& context) override {
    ks_.assign(context.ks.begin(), context.ks.end());
  }
  void row(const RankedRow& row, std::span<double> values) const override {
    for (std::size_t index = 0; index < ks_.size(); ++index) {
      const auto k = static_cast<double>(ks_[index]);
      const auto end = std::ranges::upper_bound(row.ranks, k);
      values[index] =
          value(row.ranks.first(static_cast<std::size_t>(end - row.ranks.begin())), row, k);
    }
  }

 private:
  /// @param hits the ranks that are <= k.
  virtual double value(std::span<const double> hits, const RankedRow& row, double k) const = 0;

  std::vector<int> ks_;
};

/// 1 if a relevant item is among the first k.
class Hit final : public RankMetric {
  double value(std::span<const double> hits, const RankedRow&, double) const override {
    return hits.empty() ? 0 : 1;
  }
};

/// 1 / r_1 if r_1 <= k.
class Mrr final : public RankMetric {
  double value(std::span<const double> hits, const RankedRow&, double) const override {
    return hits.empty() ? 0 : 1 / hits.front();
  }
};

/// h / P
class Recall final : public RankMetric {
  double value(std::span<const double> hits, const RankedRow& row, double) const override {
    return hits.empty() ? 0 : static_cast<double>(hits.size()) / n_relevant(row);
  }
};

/// h / k, or h / min(k, n) where n items are ranked.
class Precision final : public RankMetric {
 public:
  explicit Precision(PrecisionDivisor divisor) : divisor_(divisor) {}

 private:
  double value(std::span<const double> hits, const RankedRow& row, double k) const override {
    if (hits.empty()) return 0;
    const auto n = static_cast<double>(row.n_candidates);
    return static_cast<double>(hits.size()) /
           (divisor_ == PrecisionDivisor::list ? std::min(k, n) : k);
  }

  PrecisionDivisor divisor_;
};

/// sum 1 / log2(r + 1) over the hits, divided by the most that min(P, k) relevant items can reach.
class Ndcg final : public RankMetric {
  double value(std::span<const double> hits, const RankedRow& row, double k) const override {
    if (hits.empty()) return 0;
    double gain = 0, ideal = 0;
    for (const double rank : hits) gain += 1 / std::log2(rank + 1);
    const double most = std::min(n_relevant(row), k);
    for (double rank = 1; rank <= most; ++rank) ideal += 1 / std::log2(rank + 1);
    return gain / ideal;
  }
};

/// Sum over the hits of the precision at their rank.
double summed_precision(std::span<const double> hits) {
  double sum = 0, n_hits = 0;
  for (const double rank : hits) sum += ++n_hits / rank;
  return sum;
}

/// The same, divided by min(P, k).
class Map final : public RankMetric {
  double value(std::span<const double> hits, const RankedRow& row, double k) const override {
    return summed_precision(hits) / std::max(1.0, std::min(n_relevant(row), k));
  }
};

/// Average precision over the whole list: what Map is without a cut-off. Source: caser_pytorch,
/// evaluation.py; trec_eval's `map`.
class AveragePrecision final : public Metric {
 public:
  bool at_k() const noexcept override { return false; }
  void row(const RankedRow& row, std::span<double> values) const override {
    const auto end = std::ranges::lower_bound(row.ranks, kUnranked);
    const auto n_hits = static_cast<std::size_t>(end - row.ranks.begin());
    values[0] = n_hits == 0 ? 0 : summed_precision(row.ranks.first(n_hits)) / n_relevant(row);
  }
};

/// Area under the ROC curve of a row, weighted by its number of relevant candidates. Relevant items
/// that cannot be ranked are in no pair; rows without a relevant or without another candidate are
/// left out.
class Gauc final : public Metric {
 public:
  bool at_k() const noexcept override { return false; }
  void row(const RankedRow& row, std::span<double> values) const override {
    double n_relevant = 0, rank_sum = 0;
    for (const double rank : row.mean_ranks) {
      if (std::isinf(rank)) break;
      ++n_relevant;
      rank_sum += rank;
    }
    const auto n = static_cast<double>(row.n_candidates);
    values[0] = (n_relevant * (n + 1) - n_relevant * (n_relevant + 1) / 2 - rank_sum) /
                (n_relevant * (n - n_relevant));
  }
  double weight(const RankedRow& row) const override {
    const auto ranked =
        std::ranges::count_if(row.mean_ranks, [](double rank) { return !std::isinf(rank); });
    return ranked < row.n_candidates ? static_cast<double>(ranked) : 0;
  }
};

template <class T>
std::shared_ptr<Metric> make(const EvalOptions& options) {
  if constexpr (std::is_constructible_v<T, PrecisionDivisor>) {
    return std::make_shared<T>(options.precision_divisor);
  } else {
    return std::make_shared<T>();
  }
}

constexpr BuiltinMetric kMetrics[] = {{"hit", make<Hit>},
                                      {"mrr", make<Mrr>},
                                      {"ndcg", make<Ndcg>},
                                      {"recall", make<Recall>},
                                      {"precision", make<Precision>},
                                      {"map", make<Map>},
                                      {"ap", make<AveragePrecision>},
                                      {"gauc", make<Gauc>}};

}  // namespace

std::span<const BuiltinMetric> rank_metrics() { return kMetrics; }

}  // namespace recloom
