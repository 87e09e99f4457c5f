#pragma once
#include <span>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/core/types.hpp"
#include "recloom/data/batch.hpp"
#include "recloom/eval/recommend.hpp"

namespace recloom {

/// Return the k best items of every row, as top_k() does, of a row's candidates alone. Scores are
/// those of the full ranking, to the bit.
/// @param candidates empty, or one list for each row, ascending; an empty list is every item.
RECLOOM_API std::vector<std::vector<Recommendation>> top_k_of(
    const SequentialRecommender& model, const Batch& rows, const TopKOptions& options,
    std::span<const std::vector<ItemId>> candidates, const RunContext& run);

}  // namespace recloom
