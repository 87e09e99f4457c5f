// Mean self-information of the recommended items, -log p(item) (Zhou et al. 2010): high for lists
// that hold what few people had.
//   recloom train online-retail --model pop --set 'eval.metrics=["ndcg", "novelty"]'
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

#include "recloom/plugin/plugin.hpp"

using namespace recloom;

class Novelty final : public Metric {
 public:
  // Set as eval.metric_params.novelty.base.
  struct Options {
    double base = 2;
    void describe(ParamSchema& s) {
      s.real("base", base, {1.1, 10}, "base of the logarithm; 2: the value is in bits");
    }
  };
  explicit Novelty(const Options& options) : log_base_(std::log(options.base)) {}

  bool needs_items() const noexcept override { return true; }

  // Once, before the rows: item_counts are the training part's targets.
  void prepare(const MetricContext& context) override {
    ks_.assign(context.ks.begin(), context.ks.end());
    const double events =
        std::accumulate(context.item_counts.begin(), context.item_counts.end(), 0.0);
    information_.clear();
    // An item that nobody had is as rare as one that a single person had.
    for (const auto count : context.item_counts)
      information_.push_back(
          std::log(std::max(1.0, events) / static_cast<double>(std::max<std::int64_t>(1, count))) /
          log_base_);
  }

  // Const, and called from many threads at a time: one value for each of eval.topk.
  void row(const RankedRow& row, std::span<double> values) const override {
    for (std::size_t n = 0; n < ks_.size(); ++n) {
      const auto top = row.top.first(std::min(static_cast<std::size_t>(ks_[n]), row.top.size()));
      double sum = 0;
      for (const ItemId item : top) sum += information_[static_cast<std::size_t>(item)];
      values[n] = top.empty() ? 0 : sum / static_cast<double>(top.size());
    }
  }

 private:
  const double log_base_;
  std::vector<int> ks_;
  std::vector<double> information_;  ///< [n_items]
};

RECLOOM_PLUGIN(Novelty, "novelty", "1.0.0", "Mean self-information of recommended items")
