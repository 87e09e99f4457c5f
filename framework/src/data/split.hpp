#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "data/events.hpp"
#include "recloom/core/export.hpp"
#include "recloom/data/batch.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

/// The rows of each part. A row's target is an event that has at least one before it.
struct SplitRows {
  std::vector<Batch::Entry> train, valid, test;
  std::vector<std::int64_t> train_ends;  ///< [n_users] where a user's training events end.
};

/// Return floor(n part / all). What differs from a whole number by rounding only is taken for it,
/// so that shares of 0.6 and 0.2 mean the same as 6 and 2.
/// @param part, all 0 <= part <= all, all > 0.
RECLOOM_API std::int64_t share_of(std::int64_t n, double part, double all);

/// Return how many of `n` rows in time order go to train, valid, test.
/// @param ratios three shares; they need not sum to 1.
/// Source: RecBole, dataset.py, split_by_ratio: parts but the first get floor(ratio n), and one row
/// if 0 < ratio n < 1 and the first part can spare it; the last part is served first. Where RecBole
/// loses a row to rounding (0.29 of 100 rows are 28), this does not.
RECLOOM_API std::array<std::int64_t, 3> ratio_counts(std::span<const double> ratios,
                                                     std::int64_t n);

/// Divide all rows into parts. Row order is RecBole's: users in the order of their first row's time
/// (ties by id), each user's rows in time order; `group = all`: all rows in time order.
/// @param options validated.
/// @throws ConfigError a temporal split of a log without times; Interrupted.
RECLOOM_API SplitRows split_rows(const Events& events, bool has_times, const SplitOptions& options,
                                 const RunContext& run);

}  // namespace recloom
