// First-order Markov chain: score(i) = (c(last, i) + m p(i)) / (c(last) + m), where c counts
// transitions between neighbours in training histories and p is the share of training targets.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "recloom/plugin/plugin.hpp"

using namespace recloom;

class Markov final : public SequentialRecommender {
 public:
  struct Options {
    double smoothing = 1;
    void describe(ParamSchema& schema) {
      schema.real("smoothing", smoothing, {1e-9, 1e9}, "weight m of popularity, in transitions")
          .test_values({0.5, 10.0});
    }
  };

  Markov(const Options& options, const Catalogue& catalogue)
      : SequentialRecommender(catalogue),
        smoothing_(options.smoothing),
        popularity_(n_items()),
        begins_(n_items() + 1) {
    register_buffer("popularity", &popularity_);
    register_buffer("begins", &begins_);
    register_buffer("next", &next_);
    register_buffer("counts", &counts_);
  }

  Traits traits() const override { return {}; }

  void fit(const TrainingData& data, RunContext&) override {
    count_popularity(data.rows());
    count_transitions(data.rows());
  }

  void after_load() override {
    const auto require = [](bool holds, const char* what) {
      if (!holds) throw ModelError(what);
    };
    require(std::ranges::all_of(popularity_, [](float share) { return share >= 0 && share <= 1; }),
            "buffer 'popularity' holds a number that is no share");
    require(counts_.size() == next_.size(), "buffers 'next' and 'counts' differ in size");
    require(begins_.front() == 0 && std::ranges::is_sorted(begins_) &&
                begins_.back() == static_cast<std::int64_t>(next_.size()),
            "buffer 'begins' does not ascend from 0 to the size of 'next'");
    require(std::ranges::all_of(counts_, [](std::int32_t count) { return count >= 1; }),
            "buffer 'counts' holds a count below 1");
    for (std::size_t item = 0; item < n_items(); ++item)
      require(follow_in_order(transitions_from(item).next),
              "buffer 'next' holds what are no items in ascending order");
  }

  void full_sort_predict(const Batch& batch, Span2d<float> scores) const override {
    for (std::size_t row = 0; row < batch.size(); ++row) {
      const Transitions from = transitions(batch[row].history);
      const std::span<float> out = scores[row];
      const auto scale = static_cast<float>(smoothing_ / from.total);
      for (std::size_t item = 0; item < out.size(); ++item) out[item] = scale * popularity_[item];
      for (std::size_t n = 0; n < from.next.size(); ++n)
        out[static_cast<std::size_t>(from.next[n])] = score(from, n);
    }
  }

 private:
  /// What follows an item: ids ascending with their counts, and c(last) + m.
  struct Transitions {
    std::span<const std::int32_t> next, counts;
    double total;
  };

  // An item that never came before another, and an empty history, leave popularity alone.
  Transitions transitions(std::span<const ItemId> history) const {
    const ItemId last = history.empty() ? 0 : history.back();
    const bool is_known = last > 0 && static_cast<std::size_t>(last) < n_items();
    Transitions found = transitions_from(is_known ? static_cast<std::size_t>(last) : 0);
    for (const std::int32_t seen : found.counts) found.total += seen;
    return found;
  }

  /// @return without c(last): its total is m alone.
  Transitions transitions_from(std::size_t item) const {
    const auto begin = static_cast<std::size_t>(begins_[item]);
    const auto count = static_cast<std::size_t>(begins_[item + 1]) - begin;
    return {std::span(next_).subspan(begin, count), std::span(counts_).subspan(begin, count),
            smoothing_};
  }

  bool follow_in_order(std::span<const std::int32_t> items) const {
    if (items.empty()) return true;
    return items.front() >= 1 && static_cast<std::size_t>(items.back()) < n_items() &&
           std::ranges::adjacent_find(items, std::ranges::greater_equal()) == items.end();
  }

  float score(const Transitions& from, std::size_t n) const {
    const double share = popularity_[static_cast<std::size_t>(from.next[n])];
    return static_cast<float>((from.counts[n] + smoothing_ * share) / from.total);
  }

  void count_popularity(const Batch& rows) {
    std::vector<std::int64_t> targets(n_items());
    std::int64_t total = 0;
    for (std::size_t row = 0; row < rows.size(); ++row)
      for (const ItemId target : rows[row].targets) {
        ++targets[static_cast<std::size_t>(target)];
        ++total;
      }
    std::ranges::transform(targets, popularity_.begin(), [total](std::int64_t count) {
      return total == 0
                 ? 0.0F
                 : static_cast<float>(static_cast<double>(count) / static_cast<double>(total));
    });
  }

  void count_transitions(const Batch& rows) {
    std::vector<std::pair<ItemId, ItemId>> pairs;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const Row r = rows[row];
      if (!r.history.empty() && !r.targets.empty())
        pairs.emplace_back(r.history.back(), r.targets.front());
    }
    std::ranges::sort(pairs);
    next_.clear();
    counts_.clear();
    std::ranges::fill(begins_, 0);
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      if (p == 0 || pairs[p] != pairs[p - 1]) {
        next_.push_back(pairs[p].second);
        counts_.push_back(0);
      }
      ++counts_.back();
      begins_[static_cast<std::size_t>(pairs[p].first) + 1] =
          static_cast<std::int64_t>(next_.size());
    }
    for (std::size_t item = 1; item < begins_.size(); ++item)
      begins_[item] = std::max(begins_[item], begins_[item - 1]);
  }

  const double smoothing_;
  std::vector<float> popularity_;     ///< p, [n_items]
  std::vector<std::int64_t> begins_;  ///< [n_items + 1]: where an item's transitions lie in next_.
  std::vector<std::int32_t> next_, counts_;
};

RECLOOM_PLUGIN(Markov, "markov", "1.0.0", "Transitions from the last item, smoothed by popularity")
