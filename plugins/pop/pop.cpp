// Popularity: score(i) = how often i is a training target / the largest such count.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "recloom/plugin/plugin.hpp"

using namespace recloom;

class Pop final : public SequentialRecommender {
 public:
  explicit Pop(const Catalogue& catalogue) : SequentialRecommender(catalogue), score_(n_items()) {
    register_buffer("score", &score_);
  }

  Traits traits() const override { return {.uses_order = false}; }

  void fit(const TrainingData& data, RunContext&) override {
    std::vector<std::int64_t> counts(n_items());
    for (std::size_t row = 0; row < data.rows().size(); ++row)
      for (const ItemId target : data.rows()[row].targets)
        ++counts[static_cast<std::size_t>(target)];
    const std::int64_t largest = std::max<std::int64_t>(1, std::ranges::max(counts));
    std::ranges::transform(counts, score_.begin(), [&](std::int64_t count) {
      return static_cast<float>(static_cast<double>(count) / static_cast<double>(largest));
    });
  }

  void after_load() override {
    if (!std::ranges::all_of(score_, [](float score) { return std::isfinite(score); }))
      throw ModelError("buffer 'score' holds a number that is not finite");
  }

  void full_sort_predict(const Batch& batch, Span2d<float> scores) const override {
    for (std::size_t row = 0; row < batch.size(); ++row)
      std::ranges::copy(score_, scores[row].begin());
  }

  void predict(const Batch& batch, Span2d<const ItemId> items,
               Span2d<float> scores) const override {
    for (std::size_t row = 0; row < batch.size(); ++row)
      std::ranges::transform(items[row], scores[row].begin(), [this](ItemId item) {
        return score_[static_cast<std::size_t>(item)];
      });
  }

 private:
  std::vector<float> score_;  ///< [n_items]
};

RECLOOM_PLUGIN(Pop, "pop", "1.0.0", "Most popular items, the same for everyone")
