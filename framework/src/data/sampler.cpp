#include "recloom/data/sampler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "recloom/core/error.hpp"

namespace recloom {
namespace {

bool contains(std::span<const ItemId> items, ItemId item) noexcept {
  return std::find(items.begin(), items.end(), item) != items.end();
}

std::size_t count_distinct(std::span<const ItemId> items) {
  std::vector<ItemId> sorted(items.begin(), items.end());
  std::sort(sorted.begin(), sorted.end());
  return static_cast<std::size_t>(std::unique(sorted.begin(), sorted.end()) - sorted.begin());
}

/// Draw items until one is no target of the row. draw(rng) gives one of `n_possible` items;
/// draw_other(rng) one that is no target, at more cost: for where targets have nearly all
/// probability.
template <class Draw, class DrawOther>
void draw_negatives(const Row& row, Rng& rng, std::span<ItemId> negatives, std::size_t n_possible,
                    const Draw& draw, const DrawOther& draw_other) {
  constexpr int kMostRejections = 100;
  // With fewer targets than items there is always one to find; else look closer.
  const bool can_reject =
      row.targets.size() < n_possible || count_distinct(row.targets) < n_possible;
  for (ItemId& negative : negatives) {
    int rejected = 0;
    do {
      negative = rejected++ < kMostRejections ? draw(rng) : draw_other(rng);
    } while (can_reject && contains(row.targets, negative));
  }
}

class UniformSampler final : public NegativeSampler {
 public:
  void prepare(const SamplerContext& context) override {
    n_real_items_ = context.catalogue.n_items - 1;
    if (n_real_items_ < 1) throw DataError("negatives cannot be drawn: there are no items");
  }
  void sample(const Row& row, Rng rng, std::span<ItemId> negatives) const override {
    const auto draw = [&](Rng& draws) {
      return static_cast<ItemId>(1 + draws.below(n_real_items_));
    };
    draw_negatives(row, rng, negatives, static_cast<std::size_t>(n_real_items_), draw, draw);
  }
  bool log_probabilities(std::span<float>) const override { return true; }

 private:
  std::int64_t n_real_items_ = 0;
};

/// Draws an index with given probabilities in constant time (alias method, Vose 1991).
class AliasTable {
 public:
  explicit AliasTable(const std::vector<double>& probabilities) {
    const std::size_t size = probabilities.size();
    keep_.assign(size, 1.0);
    alias_.resize(size);
    std::vector<std::size_t> small, large;
    std::vector<double> scaled(size);
    for (std::size_t at = 0; at < size; ++at) {
      alias_[at] = at;
      scaled[at] = probabilities[at] * static_cast<double>(size);
      (scaled[at] < 1 ? small : large).push_back(at);
    }
    while (!small.empty() && !large.empty()) {
      const std::size_t poor = small.back(), rich = large.back();
      small.pop_back();
      keep_[poor] = scaled[poor];
      alias_[poor] = rich;
      scaled[rich] -= 1 - scaled[poor];
      if (scaled[rich] < 1) {
        large.pop_back();
        small.push_back(rich);
      }
    }
  }
  std::size_t draw(Rng& rng) const {
    const double place = rng.uniform() * static_cast<double>(keep_.size());
    const std::size_t at = std::min(static_cast<std::size_t>(place), keep_.size() - 1);
    return place - static_cast<double>(at) < keep_[at] ? at : alias_[at];
  }

 private:
  std::vector<double> keep_;
  std::vector<std::size_t> alias_;
};

class PopularitySampler final : public NegativeSampler {
 public:
  explicit PopularitySampler(double alpha) : alpha_(alpha) {}

  /// Only items with a positive count enter the table, so rounding can never draw another.
  void prepare(const SamplerContext& context) override {
    items_.clear();
    log_weights_.clear();
    std::int64_t largest = 0;
    for (const std::int64_t count : context.target_counts) largest = std::max(largest, count);
    std::vector<double> weights;
    double total = 0;
    for (std::size_t item = 1; item < context.target_counts.size(); ++item) {
      if (context.target_counts[item] <= 0) continue;
      items_.push_back(static_cast<ItemId>(item));
      // A share of the largest count: its power cannot overflow.
      const double share =
          static_cast<double>(context.target_counts[item]) / static_cast<double>(largest);
      weights.push_back(std::pow(share, alpha_));
      log_weights_.push_back(static_cast<float>(std::max(alpha_ * std::log(share), kLeastLog)));
      total += weights.back();
    }
    if (items_.empty()) {
      throw DataError("negatives cannot be drawn by popularity: no item is a target of any row");
    }
    for (double& weight : weights) weight /= total;
    table_ = std::make_unique<AliasTable>(weights);
  }
  void sample(const Row& row, Rng rng, std::span<ItemId> negatives) const override {
    if (!table_) throw InternalError("a sampler was used before prepare()");
    // Only targets that can be drawn count: others take no probability away.
    std::size_t n_possible = items_.size();
    if (row.targets.size() >= n_possible) n_possible = count_possible(row);
    draw_negatives(
        row, rng, negatives, n_possible, [&](Rng& draws) { return items_[table_->draw(draws)]; },
        [&](Rng& draws) { return draw_other(row, draws); });
  }
  bool log_probabilities(std::span<float> log_q) const override {
    if (!table_) throw InternalError("a sampler was used before prepare()");
    for (std::size_t at = 0; at < items_.size(); ++at)
      log_q[static_cast<std::size_t>(items_[at])] = log_weights_[at];
    return true;
  }

 private:
  /// Return a bound that makes rejection safe: 0 if each item that can be drawn is a target.
  std::size_t count_possible(const Row& row) const {
    const bool all = std::all_of(items_.begin(), items_.end(),
                                 [&](ItemId item) { return contains(row.targets, item); });
    return all ? 0 : row.targets.size() + 1;
  }

  /// Draw from the items that are no target, with probabilities as they are among those.
  ItemId draw_other(const Row& row, Rng& rng) const {
    const auto possible = [&](std::size_t at) { return !contains(row.targets, items_[at]); };
    // Relative to the likeliest of them: its own weight may be too small for a number.
    double top = -std::numeric_limits<double>::infinity(), total = 0;
    for (std::size_t at = 0; at < items_.size(); ++at)
      if (possible(at)) top = std::max<double>(top, log_weights_[at]);
    const auto weight = [&](std::size_t at) { return std::exp(log_weights_[at] - top); };
    for (std::size_t at = 0; at < items_.size(); ++at)
      if (possible(at)) total += weight(at);
    double left = rng.uniform() * total;
    ItemId last = items_.front();
    for (std::size_t at = 0; at < items_.size(); ++at) {
      if (!possible(at)) continue;
      const double share = weight(at);
      if (share > 0) last = items_[at];
      left -= share;
      if (left < 0) break;
    }
    return last;
  }

  static constexpr double kLeastLog = -1e30;  // finite as a float, whatever alpha is

  double alpha_;
  std::vector<ItemId> items_;
  std::vector<float> log_weights_;  ///< Of items_, up to a constant.
  std::unique_ptr<AliasTable> table_;
};

}  // namespace

NegativeSampler::~NegativeSampler() = default;
bool NegativeSampler::log_probabilities(std::span<float>) const { return false; }

std::unique_ptr<NegativeSampler> make_uniform_sampler() {
  return std::make_unique<UniformSampler>();
}

std::unique_ptr<NegativeSampler> make_popularity_sampler(double alpha) {
  if (!std::isfinite(alpha)) {
    throw ConfigError(fmt::format("train.sampler_alpha: {}; legal is a finite number", alpha));
  }
  return std::make_unique<PopularitySampler>(alpha);
}

}  // namespace recloom
