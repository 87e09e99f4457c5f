#pragma once
#include <span>
#include <vector>

#include "nn/graph/graph.hpp"
#include "recloom/core/export.hpp"

namespace recloom::nn {

/// Compute for the last position alone what is wanted there alone. History::last, the gather of
/// the last position, commutes with ops that work on each position alone (Reach::same): it is moved
/// in front of them as far as nobody else reads them. Of a network that ends in History::last, most
/// of the last layer is then computed at one position of L.
///
/// Values and gradients stay the same but for rounding, and so do random draws: nodes keep their
/// names. Not for rows that share a past, where other rows want other positions.
/// @param graph is changed where something moves; a Var of it is then valid through the result
/// only.
/// @param outputs nodes that are wanted as they are.
/// @return where each node is now; none: nowhere, since nobody wants it whole.
RECLOOM_API ByNode<NodeId> compute_at_last(Graph& graph, std::span<const NodeId> outputs);

/// Which nodes run over the positions of a history, [L, ...]: by where they come from, since
/// another axis may have L elements too.
RECLOOM_API ByNode<bool> nodes_over_positions(const Graph& graph);

/// By operand, whether a node takes it at the last position, [1, ...], where it is computed there
/// alone. Empty: it cannot be, since it does not keep to each position or its op refuses the
/// shapes.
/// @param over_positions nodes_over_positions() of its graph.
RECLOOM_API std::vector<bool> operands_at_last(const Graph& graph, NodeId id,
                                               const ByNode<bool>& over_positions);

}  // namespace recloom::nn
