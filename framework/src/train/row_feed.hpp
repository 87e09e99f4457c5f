#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/core/random.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/batch.hpp"
#include "recloom/data/sampler.hpp"
#include "recloom/train/options.hpp"

namespace recloom {

/// Return 0..count-1 in random order (Fisher-Yates).
RECLOOM_API std::vector<std::uint32_t> shuffled(std::size_t count, Rng rng,
                                                const RunContext* run = nullptr);

struct FeedOptions {
  int batch_size = 2048;
  Batching batching = Batching::rows;
  int run_rows = 128;   ///< Longest run (chunks, sequences).
  int n_negatives = 1;  ///< Of a row, if there is a sampler.
};

/// Hands out the training rows of an epoch: shuffled, in batches, with negatives. Every row comes
/// once, and every batch is full but the last. The order is a function of (seed, epoch), the
/// negatives of a row of (seed, epoch, row id): a resumed run needs no state but epoch and step.
///
/// What is shuffled are single rows (rows) or runs of rows (chunks, sequences): the rows of one
/// user whose targets follow each other, in this order. A user's rows are one run if they are at
/// most `run_rows`; else they are cut into runs of that length, from a place drawn for (seed,
/// epoch, user), so that first and last run may be shorter. The end of a batch may cut one more. Of
/// the runs called sequences, the k-th row sees k items: those of the run before its target, and
/// the one before the run. Items that are no row's target, as those of a history that stands in its
/// line, are seen too by the run behind them.
/// Memory: 4 bytes a row beside the data, 12 bytes a run, and one batch.
class RECLOOM_API RowFeed {
 public:
  /// @param rows at least one, at most 2^32 - 1; what they view must outlive the feed.
  /// @param sampler prepared; null: no negatives.
  RowFeed(const Batch& rows, const FeedOptions& options, const NegativeSampler* sampler);

  std::int64_t n_rows() const noexcept { return static_cast<std::int64_t>(rows_.size()); }
  /// Steps of an epoch; the last batch may be smaller than the others.
  std::int64_t n_steps() const noexcept;
  /// Rows in the first `steps` batches of an epoch.
  std::int64_t rows_in(std::int64_t steps) const noexcept;

  void begin_epoch(int epoch, const RunContext& run);
  /// Return batch `step` (0-based) of the epoch; valid until the next call.
  Batch batch(std::int64_t step, const RunContext& run);

 private:
  /// Rows order_[first..first + count - 1]; the `at`-th row of the epoch is its first.
  struct Run {
    std::uint32_t first, count, at;
  };

  void sort_by_target();
  void cut_runs(const Rng& rng);
  void shuffle_runs(Rng rng, const RunContext& run);
  void take_rows(std::size_t first);
  void take_runs(std::size_t first);
  void draw_negatives(const RunContext& run);
  /// Whether the target of the row at `at` of order_ is its user's next one.
  bool follows_row_before(std::size_t at) const;
  /// Return how many items before a run's first target are seen.
  std::uint32_t items_before(const Run& run) const;
  const Batch::Entry& entry(std::size_t at) const { return rows_.entries()[order_[at]]; }

  Batch rows_;
  FeedOptions options_;
  const NegativeSampler* sampler_;
  int epoch_ = 0;
  std::vector<std::uint32_t> order_;  ///< rows: the epoch's order; else that of their targets.
  std::vector<Run> runs_;             ///< chunks, sequences: of the epoch, in its order.
  std::vector<Batch::Entry> entries_;
  std::vector<ItemId> negatives_;
};

}  // namespace recloom
