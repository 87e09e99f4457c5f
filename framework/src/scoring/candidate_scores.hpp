#pragma once
#include "recloom/core/export.hpp"
#include "recloom/core/types.hpp"
#include "scoring/block_queries.hpp"
#include "scoring/checked_head.hpp"

namespace recloom {

/// Score given items: their vectors are gathered, and a row's products come from one call.
/// @param norms CheckedHead::norm() of all items; null: those of the given items are computed.
/// @param items [rows, C] ids of items, repeats allowed. @param[out] scores [rows, C].
RECLOOM_API void score_candidates(const CheckedHead& head, const float* norms,
                                  const BlockQueries& queries, Span2d<const ItemId> items,
                                  Span2d<float> scores);

}  // namespace recloom
