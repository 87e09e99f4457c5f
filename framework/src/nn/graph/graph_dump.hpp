#pragma once
#include <string>
#include <string_view>

#include "nn/graph/graph.hpp"
#include "recloom/core/export.hpp"

namespace recloom::nn {

/// Return what a node computes: "linear", or "ids", "lookup", "row_scores", "softmax_head", "view".
std::string_view op_name(const Node& node);

/// Return a recording as a table, one line for each node.
RECLOOM_API std::string graph_text(const Graph& graph);
/// Return a recording in Graphviz's language.
RECLOOM_API std::string graph_dot(const Graph& graph);

}  // namespace recloom::nn
