#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/core/random.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/batch.hpp"
#include "recloom/data/sampler.hpp"

namespace recloom {

/// Return 0..count-1 in random order (Fisher-Yates).
RECLOOM_API std::vector<std::uint32_t> shuffled(std::size_t count, Rng rng);

/// Hands out the training rows of an epoch: shuffled, in batches, with negatives. The order is a
/// function of (seed, epoch), the negatives of a row of (seed, epoch, row id): a resumed run needs
/// no state but epoch and step.
/// Memory: 4 bytes a row beside the data, and one batch.
class RECLOOM_API RowFeed {
 public:
  /// @param rows at least one, at most 2^32 - 1; what they view must outlive the feed.
  /// @param sampler prepared; null: no negatives.
  RowFeed(const Batch& rows, int batch_size, const NegativeSampler* sampler, int n_negatives);

  std::int64_t n_rows() const noexcept { return static_cast<std::int64_t>(rows_.size()); }
  /// Steps of an epoch; the last batch may be smaller than the others.
  std::int64_t n_steps() const noexcept;
  /// Rows in the first `steps` batches of an epoch.
  std::int64_t rows_in(std::int64_t steps) const noexcept;

  void begin_epoch(int epoch, const RunContext& run);
  /// Return batch `step` (0-based) of the epoch; valid until the next call.
  Batch batch(std::int64_t step, const RunContext& run);

 private:
  void draw_negatives(std::size_t count, const RunContext& run);

  Batch rows_;
  std::int64_t batch_size_;
  const NegativeSampler* sampler_;
  std::size_t n_negatives_;
  int epoch_ = 0;
  std::vector<std::uint32_t> order_;
  std::vector<Batch::Entry> entries_;
  std::vector<ItemId> negatives_;
};

}  // namespace recloom
