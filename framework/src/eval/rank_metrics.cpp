// Formulas: RecBole 1.2.1, recbole/evaluator/metrics.py, in double precision. P: relevant items of
// a row (those that cannot be ranked included), r: their ranks, ascending; h: how many are <= k.
#include <algorithm>
#include <cmath>

#include "eval/builtin_metrics.hpp"

namespace recloom {
namespace {

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
      values[index] = value(row.ranks.first(static_cast<std::size_t>(end - row.ranks.begin())),
                            row.ranks.size(), k);
    }
  }

 private:
  /// @param hits the ranks that are <= k. @param n_relevant P.
  virtual double value(std::span<const double> hits, std::size_t n_relevant, double k) const = 0;

  std::vector<int> ks_;
};

/// 1 if a relevant item is among the first k.
class Hit final : public RankMetric {
  double value(std::span<const double> hits, std::size_t, double) const override {
    return hits.empty() ? 0 : 1;
  }
};

/// 1 / r_1 if r_1 <= k.
class Mrr final : public RankMetric {
  double value(std::span<const double> hits, std::size_t, double) const override {
    return hits.empty() ? 0 : 1 / hits.front();
  }
};

/// h / P
class Recall final : public RankMetric {
  double value(std::span<const double> hits, std::size_t n_relevant, double) const override {
    return hits.empty() ? 0 : static_cast<double>(hits.size()) / static_cast<double>(n_relevant);
  }
};

/// h / k
class Precision final : public RankMetric {
  double value(std::span<const double> hits, std::size_t, double k) const override {
    return static_cast<double>(hits.size()) / k;
  }
};

/// sum 1 / log2(r + 1) over the hits, divided by the most that min(P, k) relevant items can reach.
class Ndcg final : public RankMetric {
  double value(std::span<const double> hits, std::size_t n_relevant, double k) const override {
    if (hits.empty()) return 0;
    double gain = 0, ideal = 0;
    for (const double rank : hits) gain += 1 / std::log2(rank + 1);
    const double most = std::min(static_cast<double>(n_relevant), k);
    for (double rank = 1; rank <= most; ++rank) ideal += 1 / std::log2(rank + 1);
    return gain / ideal;
  }
};

/// Sum over the hits of the precision at their rank, divided by min(P, k).
class Map final : public RankMetric {
  double value(std::span<const double> hits, std::size_t n_relevant, double k) const override {
    double sum = 0, n_hits = 0;
    for (const double rank : hits) sum += ++n_hits / rank;
    return sum / std::max(1.0, std::min(static_cast<double>(n_relevant), k));
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
std::shared_ptr<Metric> make(const EvalOptions&) {
  return std::make_shared<T>();
}

constexpr BuiltinMetric kMetrics[] = {{"hit", make<Hit>},
                                      {"mrr", make<Mrr>},
                                      {"ndcg", make<Ndcg>},
                                      {"recall", make<Recall>},
                                      {"precision", make<Precision>},
                                      {"map", make<Map>},
                                      {"gauc", make<Gauc>}};

}  // namespace

std::span<const BuiltinMetric> rank_metrics() { return kMetrics; }

}  // namespace recloom
