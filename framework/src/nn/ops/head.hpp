#pragma once
#include <cstddef>

#include "recloom/nn/item_head.hpp"
#include "recloom/nn/ops.hpp"
#include "recloom/nn/var.hpp"

// Rows of tables, and queries against them.
namespace recloom::nn {

/// Whether id 0 gives row 0 a gradient is the table's affair: table[ids], [..] -> [.., columns].
RECLOOM_API Var lookup(Parameter table, Ids ids, bool trains_row_0);

/// @throws ModelError a table or the bias does not have one row per item, a table stands twice.
void require_fitting(const ItemHead& head, std::size_t n_items);
/// Per-row softmax cross-entropy over all items, mean over the targets: [q], [T] -> [1]. @throws
/// ModelError the query has another width than the item vectors, a similarity that no loss knows.
Var softmax_cross_entropy(Var query, const ItemHead& head, Ids targets);
/// The same of logits that the model itself computes, [n_items], [T] -> [1].
Var logits_cross_entropy(Var logits, Ids targets);
/// Score some items of each row, [q], [N] -> [N]. @throws ModelError as above.
Var score_items(Var query, const ItemHead& head, Ids items);

}  // namespace recloom::nn
