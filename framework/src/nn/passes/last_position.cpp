#include "nn/passes/last_position.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <new>
#include <ranges>
#include <utility>

#include "nn/ops/history.hpp"

namespace recloom::nn {
namespace {

/// How a node is wanted, and where it is after the change.
struct Wanted {
  bool whole = false;    ///< As it is.
  bool at_last = false;  ///< As it is at the last position.
  bool gathers_last = false;
  std::vector<bool> operands_at_last;  ///< By operand; empty: the node is computed whole.
  NodeId whole_node, last_node;
};

Shape at_one_position(Shape shape) {
  shape.extent[0] = 1;
  return shape;
}

Shape without_time(const Shape& shape) { return {shape.extent[1]}; }

/// Whether an op makes of operands at one position what it makes there of whole ones, as far as
/// shapes tell. An author's op may refuse.
bool fits_at_last(const Node& node, const OpShapes& shapes) {
  try {
    return node.op()->output_shape(shapes) == at_one_position(node.shape);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (...) {
    return false;
  }
}

class Change {
 public:
  explicit Change(Graph& graph)
      : graph_(graph), over_positions_(nodes_over_positions(graph)), wanted_(graph.n_nodes()) {}

  /// Find out how each node is wanted. @return whether any is to be computed for it.
  bool find(std::span<const NodeId> outputs) {
    for (const NodeId output : outputs) wanted_[output].whole = true;
    bool moves = false;
    for (const NodeId id : graph_.ids() | std::views::reverse) {
      const Node& node = graph_.node(id);
      Wanted& wanted = wanted_[id];
      wanted.gathers_last = graph_.gathers_last(node);
      wanted.whole |= node.integer();
      if (!wanted.whole && !wanted.at_last) continue;
      if (wanted.at_last && !wanted.whole) {
        wanted.operands_at_last = nn::operands_at_last(graph_, id, over_positions_);
        wanted.whole = wanted.operands_at_last.empty();  // and the last is gathered from that
      }
      moves = moves || !wanted.whole;
      want_operands(node, wanted);
    }
    return moves;
  }

  /// Record all of it anew.
  ByNode<NodeId> apply() {
    const std::deque<Node> nodes = graph_.take_nodes();
    const auto ids = node_ids(nodes.size());
    position_ = Ids(&graph_, copy(nodes, graph_.last_position_node));
    for (const NodeId id : ids) record(nodes, id);
    // Names are given once all nodes are there: what was recorded keeps its own.
    for (const NodeId id : ids) {
      const Wanted& wanted = wanted_[id];
      const NodeId made = wanted.whole ? wanted.whole_node : wanted.last_node;
      if (made) graph_.node(made).name = nodes[id.index()].name;
    }
    for (const NodeId id : ids)
      if (wanted_[id].whole && wanted_[id].last_node)
        graph_.rename(wanted_[id].last_node, fmt::format("{}.last", nodes[id.index()].name));
    for (NodeId* special : {&graph_.user_node, &graph_.history_node, &graph_.last_position_node})
      if (*special) *special = wanted_[*special].whole_node;
    ByNode<NodeId> places(nodes.size());
    for (const NodeId id : ids) places[id] = wanted_[id].whole_node;
    return places;
  }

 private:
  void want_operands(const Node& node, const Wanted& wanted) {
    for (std::size_t o = 0; o < node.operands.size(); ++o) {
      const Var x = node.operands[o].var;
      if (!x) continue;  // Integers are always there.
      const bool at_last = wanted.whole ? wanted.gathers_last : wanted.operands_at_last[o];
      (at_last ? wanted_[x.node()].at_last : wanted_[x.node()].whole) = true;
    }
  }

  Operand moved(const Operand& operand, bool at_last) {
    if (operand.ids) return Ids(&graph_, wanted_[operand.node()].whole_node);
    if (!operand.var) return operand;
    const Wanted& source = wanted_[operand.node()];
    return Var(&graph_, at_last ? source.last_node : source.whole_node);
  }

  void record(const std::deque<Node>& nodes, NodeId id) {
    const Node& node = nodes[id.index()];
    Wanted& wanted = wanted_[id];
    if (wanted.whole && wanted.gathers_last)
      wanted.whole_node =
          graph_.add(node.name, View{without_time}, {moved(node.operands[0], true)}).node();
    else if (wanted.whole && !wanted.whole_node)
      wanted.whole_node = copy(nodes, id);
    if (!wanted.at_last) return;
    wanted.last_node = wanted.whole ? select_one(Var(&graph_, wanted.whole_node), position_).node()
                                    : compute_at_last(node, wanted);
  }

  NodeId copy(const std::deque<Node>& nodes, NodeId id) {
    const Node& node = nodes[id.index()];
    std::vector<Operand> operands;
    for (const Operand& operand : node.operands) operands.push_back(moved(operand, false));
    const NodeId made = graph_.add(node.name, node.work, std::move(operands)).node();
    graph_.node(made).blocks_gradient = node.blocks_gradient;
    return wanted_[id].whole_node = made;
  }

  NodeId compute_at_last(const Node& node, const Wanted& wanted) {
    std::vector<Operand> operands;
    for (std::size_t o = 0; o < node.operands.size(); ++o)
      operands.push_back(moved(node.operands[o], wanted.operands_at_last[o]));
    const NodeId made = graph_.add(node.name, node.work, std::move(operands)).node();
    graph_.node(made).blocks_gradient = node.blocks_gradient;
    graph_.node(made).at_last = true;
    return made;
  }

  Graph& graph_;
  const ByNode<bool> over_positions_;  // Of the nodes as they were written.
  ByNode<Wanted> wanted_;
  Ids position_;
};

}  // namespace

namespace {

/// Whether a node that takes something over positions may have positions along its first axis.
bool keeps_positions(const Node& node, const OpShapes& shapes, std::size_t operand) {
  return node.op() == nullptr || node.operands[operand].shape().rank == node.shape.rank ||
         node.op()->reach(operand, shapes) != Reach::unknown;
}

}  // namespace

ByNode<bool> nodes_over_positions(const Graph& graph) {
  ByNode<bool> over(graph.n_nodes(), false);
  for (const NodeId id : graph.ids()) {
    const Node& node = graph.node(id);
    if (const auto* ids = std::get_if<IdsSource>(&node.work)) over[id] = ids->over_positions;
    if (node.shape.rank == 0 || node.shape.extent[0] != graph.max_length()) continue;
    const OperandShapes shapes = node.operand_shapes();
    for (std::size_t o = 0; o < node.operands.size(); ++o) {
      const NodeId source = node.operands[o].node();
      if (source && over[source] && keeps_positions(node, shapes.view(), o)) over[id] = true;
    }
  }
  return over;
}

std::vector<bool> operands_at_last(const Graph& graph, NodeId id,
                                   const ByNode<bool>& over_positions) {
  const Node& node = graph.node(id);
  if (node.op() == nullptr || node.shape.rank != 2 || !over_positions[id]) return {};
  const OperandShapes shapes = node.operand_shapes();
  OperandShapes moved;
  std::vector<bool> at_last;
  for (std::size_t o = 0; o < node.operands.size(); ++o) {
    const Operand& operand = node.operands[o];
    const Shape shape = operand.shape();
    const bool runs = operand.parameter ? shape.rank > 0 && shape.extent[0] == graph.max_length()
                                        : over_positions[operand.node()],
               same = runs && node.op()->reach(o, shapes.view()) == Reach::same;
    if (same && (!operand.var || shape.rank != 2)) return {};
    const bool whole = runs && !same && !operand.parameter;
    if (whole && !node.op()->takes_one_of_positions()) return {};
    (operand.ids ? moved.ids : moved.inputs).push_back(same ? at_one_position(shape) : shape);
    at_last.push_back(same);
  }
  if (!fits_at_last(node, moved.view())) return {};
  return at_last;
}

ByNode<NodeId> compute_at_last(Graph& graph, std::span<const NodeId> outputs) {
  Change change(graph);
  if (graph.last_position_node && change.find(outputs)) return change.apply();
  ByNode<NodeId> places(graph.n_nodes());
  for (const NodeId id : graph.ids()) places[id] = id;
  return places;
}

}  // namespace recloom::nn
