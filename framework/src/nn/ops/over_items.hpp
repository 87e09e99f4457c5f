#pragma once
#include "nn/graph/graph.hpp"
#include "recloom/nn/op.hpp"

namespace recloom::nn {

/// An op over looked-up histories that can also be computed for a whole batch, from the batch's
/// distinct items: exec/item_ops.hpp has that way of each.
class OverItemsOp : public Op {};

inline bool is_over_items(const Node& node) {
  return dynamic_cast<const OverItemsOp*>(node.op()) != nullptr;
}

}  // namespace recloom::nn
