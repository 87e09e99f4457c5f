#pragma once
#include "recloom/data/batch.hpp"
#include "recloom/model/sequential_recommender.hpp"

namespace recloom::nn {

/// scores[b, i] of every item for every row, [B, n_items]. The plain way, a product with the whole
/// table: ranking and top-k have fused ones of their own.
void score_all(const Factorised& model, const Batch& batch, Span2d<float> scores);
/// The columns of score_all() that `items` [B, C] names, to rounding.
void score_candidates(const Factorised& model, const Batch& batch, Span2d<const ItemId> items,
                      Span2d<float> scores);

}  // namespace recloom::nn
