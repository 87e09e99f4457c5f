#pragma once
#include "recloom/core/export.hpp"
#include "recloom/core/types.hpp"
#include "recloom/data/batch.hpp"
#include "recloom/model/sequential_recommender.hpp"

// The scores of a query x item model, for whoever wants the numbers themselves: ranking and top-k
// look at tiles instead. Single-threaded. @throws ModelError as CheckedHead.
namespace recloom {

/// SequentialRecommender::full_sort_predict() of such a model. @param[out] scores [B, n_items].
RECLOOM_API void score_all_items(const SequentialRecommender& model, const Batch& rows,
                                 Span2d<float> scores);
/// The same from queries, [B, query_size()], that are there.
RECLOOM_API void score_all_items(const SequentialRecommender& model, Span2d<const float> queries,
                                 Span2d<float> scores);
/// SequentialRecommender::predict(): the columns of score_all_items() that `items` [B, C] names, to
/// rounding. Reads the vectors of these items alone. @param[out] scores [B, C].
RECLOOM_API void score_given_items(const SequentialRecommender& model, const Batch& rows,
                                   Span2d<const ItemId> items, Span2d<float> scores);

}  // namespace recloom
