#pragma once
#include <memory>
#include <span>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/core/random.hpp"
#include "recloom/core/types.hpp"
#include "recloom/data/batch.hpp"

namespace recloom {

/// What a sampler may know of the data set.
struct SamplerContext {
  Catalogue catalogue;
  /// How often an item is the target of any row, [n_items].
  std::span<const std::int64_t> target_counts;
};

/// Draws the negatives of a row.
class RECLOOM_API NegativeSampler {
 public:
  virtual ~NegativeSampler();
  virtual void prepare(const SamplerContext& context) = 0;
  /// @param rng keyed by (seed, epoch, row id). Thread safety: any number of callers.
  virtual void sample(const Row& row, Rng rng, std::span<ItemId> negatives) const = 0;
  /// Write ln q(i) of every item, up to one constant: what train.loss = "sampled_softmax" takes off
  /// the scores. After prepare(). @param log_q [n_items], all 0; what is never drawn may keep any
  /// finite number. @return false (default): not known, that loss is then refused.
  virtual bool log_probabilities(std::span<float> log_q) const;
};

/// RecBole's RepeatableSampler: ids 1..n_items-1 with equal probability; only the row's own targets
/// are drawn again. A catalogue whose every item is a target gives the item itself.
RECLOOM_API std::unique_ptr<NegativeSampler> make_uniform_sampler();
/// The same with P(i) proportional to c(i)^alpha, c = target counts.
RECLOOM_API std::unique_ptr<NegativeSampler> make_popularity_sampler(double alpha);

}  // namespace recloom
