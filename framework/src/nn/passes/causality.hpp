#pragma once
#include <span>
#include <string>

#include "nn/graph/graph.hpp"

namespace recloom::nn {

/// What rows of one user can share. Of two rows whose histories begin alike, one shorter by some
/// items, everything up to History::last is computed for the longer one; the shorter one takes
/// what stands at its own last item. That is exact if position t of every tensor up to there
/// depends on items 0..t alone, which is proved op by op (Op::reach).
struct Causality {
  /// What runs over the positions of a history and is shared, the ids included.
  ByNode<bool> shared;
  /// The first thing in the way, naming the op; "": rows can share.
  std::string obstacle;
};

/// @param used false for what no output depends on.
Causality find_causality(const Graph& graph, const ByNode<bool>& used,
                         std::span<const NodeId> outputs);

}  // namespace recloom::nn
