#include "nn/last_position.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <numeric>
#include <utility>

namespace recloom::nn {
namespace {

/// How a node is wanted, and where it is after the change.
struct Wanted {
  bool whole = false;    ///< As it is.
  bool at_last = false;  ///< As it is at the last position.
  bool takes_last = false;
  std::vector<char> operands_at_last;  ///< By operand; empty: the node cannot be remade.
  std::int32_t whole_node = -1, last_node = -1;
};

class Change {
 public:
  explicit Change(Graph& graph) : graph_(graph), wanted_(graph.nodes().size()) {}

  /// Find out how each node is wanted. @return whether any can be remade for it.
  bool find(std::span<const std::int32_t> outputs) {
    for (const std::int32_t output : outputs) of(output).whole = true;
    bool moves = false;
    for (std::int32_t index = n_nodes() - 1; index >= 0; --index) {
      const Node& node = graph_.node(index);
      Wanted& wanted = of(index);
      wanted.takes_last = graph_.takes_last(node);
      wanted.whole |= node.integer();
      if (!wanted.whole && !wanted.at_last) continue;
      if (wanted.at_last && !wanted.whole) {
        wanted.operands_at_last = operands_at_last(node);
        wanted.whole = wanted.operands_at_last.empty();  // and the last is taken from that
      }
      moves = moves || !wanted.whole;
      want_operands(node, wanted);
    }
    return moves;
  }

  /// Record all of it anew.
  std::vector<std::int32_t> apply() {
    const std::deque<Node> nodes = graph_.take_nodes();
    position_ = Ids(&graph_, copy(nodes, graph_.last_position_node));
    for (std::int32_t index = 0; index < n_nodes(); ++index) record(nodes, index);
    // Names are given once all nodes are there: what was recorded keeps its own.
    for (std::int32_t index = 0; index < n_nodes(); ++index) {
      const Wanted& wanted = of(index);
      const std::int32_t made = wanted.whole ? wanted.whole_node : wanted.last_node;
      if (made >= 0 && !wanted.takes_last) graph_.node(made).name = name(nodes, index);
    }
    for (std::int32_t index = 0; index < n_nodes(); ++index)
      if (of(index).whole && of(index).last_node >= 0)
        graph_.rename(of(index).last_node, fmt::format("{}.last", name(nodes, index)));
    for (std::int32_t* special :
         {&graph_.user_node, &graph_.history_node, &graph_.last_position_node})
      if (*special >= 0) *special = of(*special).whole_node;
    std::vector<std::int32_t> places;
    for (const Wanted& wanted : wanted_) places.push_back(wanted.whole_node);
    return places;
  }

 private:
  std::int32_t n_nodes() const { return static_cast<std::int32_t>(wanted_.size()); }
  Wanted& of(std::int32_t node) { return wanted_[static_cast<std::size_t>(node)]; }
  static const std::string& name(const std::deque<Node>& nodes, std::int32_t index) {
    return nodes[static_cast<std::size_t>(index)].name;
  }

  /// @return by operand, whether remaking the node takes it at the last position. Empty if the node
  /// cannot be remade.
  static std::vector<char> operands_at_last(const Node& node) {
    std::vector<char> at_last;
    if (!node.remake || node.shape.rank != 2) return at_last;
    const std::vector<Shape> shapes = node.input_shapes();
    for (std::size_t o = 0; o < node.operands.size(); ++o) {
      const Var x = node.operands[o].var;
      const bool same = x && node.op()->reach(o, shapes) == Reach::same;
      if (same && x.shape().rank != 2) return {};
      at_last.push_back(same ? 1 : 0);
    }
    return at_last;
  }

  void want_operands(const Node& node, const Wanted& wanted) {
    for (std::size_t o = 0; o < node.operands.size(); ++o) {
      const Var x = node.operands[o].var;
      if (!x) continue;  // Integers are always there.
      const bool at_last = wanted.whole ? wanted.takes_last : wanted.operands_at_last[o] != 0;
      (at_last ? of(x.node()).at_last : of(x.node()).whole) = true;
    }
  }

  Operand moved(const Operand& operand, bool at_last) {
    if (operand.ids) return Ids(&graph_, of(operand.ids.node()).whole_node);
    if (!operand.var) return operand;
    const Wanted& source = of(operand.var.node());
    return Var(&graph_, at_last ? source.last_node : source.whole_node);
  }

  void record(const std::deque<Node>& nodes, std::int32_t index) {
    const Node& node = nodes[static_cast<std::size_t>(index)];
    Wanted& wanted = of(index);
    if (wanted.whole && wanted.takes_last)
      wanted.whole_node = moved(node.operands[0], true).var.node();
    else if (wanted.whole && wanted.whole_node < 0)
      wanted.whole_node = copy(nodes, index);
    if (!wanted.at_last) return;
    wanted.last_node = wanted.whole ? select(Var(&graph_, wanted.whole_node), position_).node()
                                    : remake(node, wanted);
  }

  std::int32_t copy(const std::deque<Node>& nodes, std::int32_t index) {
    const Node& node = nodes[static_cast<std::size_t>(index)];
    std::vector<Operand> operands;
    for (const Operand& operand : node.operands) operands.push_back(moved(operand, false));
    const Var made = graph_.add(node.name, node.shape, node.work, std::move(operands));
    graph_.node(made.node()).blocks_gradient = node.blocks_gradient;
    of(index).whole_node = made.node();
    return made.node();
  }

  std::int32_t remake(const Node& node, const Wanted& wanted) {
    std::vector<Operand> operands;
    for (std::size_t o = 0; o < node.operands.size(); ++o)
      operands.push_back(moved(node.operands[o], wanted.operands_at_last[o] != 0));
    const Var made = node.remake(operands, position_);
    graph_.node(made.node()).blocks_gradient = node.blocks_gradient;
    return made.node();
  }

  Graph& graph_;
  std::vector<Wanted> wanted_;
  Ids position_;
};

}  // namespace

std::vector<std::int32_t> compute_at_last(Graph& graph, std::span<const std::int32_t> outputs) {
  std::vector<std::int32_t> places(graph.nodes().size());
  std::iota(places.begin(), places.end(), 0);
  if (graph.last_position_node < 0) return places;
  Change change(graph);
  return change.find(outputs) ? change.apply() : places;
}

}  // namespace recloom::nn
