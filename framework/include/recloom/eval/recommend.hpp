#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/core/types.hpp"
#include "recloom/data/batch.hpp"
#include "recloom/model/sequential_recommender.hpp"
#include "recloom/scoring/recommendation.hpp"

namespace recloom {

/// Who may be recommended.
struct TopKOptions {
  int k = 10;
  bool hide_history = false;      ///< Leave out the items of the row's whole history.
  std::span<const ItemId> allow;  ///< Empty: every item.
  std::span<const ItemId> block;
};

/// Return the k best items of every row, best first, ties by smaller id; fewer than k where fewer
/// are eligible. Fused: the score matrix is never materialised.
RECLOOM_API std::vector<std::vector<Recommendation>> top_k(const SequentialRecommender& model,
                                                           const Batch& rows,
                                                           const TopKOptions& options,
                                                           const RunContext& run);

}  // namespace recloom
