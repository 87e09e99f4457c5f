#pragma once
#include <cstdint>
#include <vector>

#include "recloom/data/batch.hpp"
#include "recloom/data/dataset.hpp"
#include "recloom/data/vocabulary.hpp"

namespace recloom {

/// Rows of one data set in the ids of another vocabulary. Unknown items are left out of the events:
/// histories lack them, unknown targets are counted.
struct KnownRows {
  std::vector<ItemId> events;
  std::vector<Batch::Entry> entries;                           ///< One per row, in the same order.
  std::vector<std::int32_t> lost_targets;                      ///< [rows] distinct unknown targets.
  std::vector<std::int64_t> target_counts, all_target_counts;  ///< [n_items] of the vocabulary.
  std::int64_t unknown_history_items = 0, unknown_users = 0;
};

/// @param rows of `dataset`. @param vocabulary what the model knows.
RECLOOM_API KnownRows translate_rows(const Dataset& dataset, const Batch& rows,
                                     const Vocabulary& vocabulary);

}  // namespace recloom
