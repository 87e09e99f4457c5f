#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "nn/graph_impl.hpp"
#include "recloom/core/export.hpp"

namespace recloom::nn {

/// Compute for the last position alone what is wanted there alone. History::last commutes with ops
/// that work on each position alone (Node::remake): it is moved in front of them as far as nobody
/// else reads them. Of a network that ends in History::last, most of the last layer is then
/// computed at one position of L.
///
/// Values and gradients stay the same but for rounding, and so do random draws: nodes keep their
/// names. Not for rows that share a past, where other rows want other positions.
/// @param graph is changed where something moves; a Var of it is then valid through the result
/// only.
/// @param outputs nodes that are wanted as they are.
/// @return where each node is now; -1: nowhere, since nobody wants it whole.
RECLOOM_API std::vector<std::int32_t> compute_at_last(Graph& graph,
                                                      std::span<const std::int32_t> outputs);

}  // namespace recloom::nn
