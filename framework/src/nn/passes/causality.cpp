#include "nn/passes/causality.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

namespace recloom::nn {
namespace {

/// What a node's value depends on.
enum class Kind : char {
  fixed,  ///< On no row: positions, what is made of parameters.
  row,    ///< On the row as a whole.
  past,   ///< [L, ...]: at position t on items 0..t.
};

class Proof {
 public:
  Proof(const Graph& graph, const ByNode<bool>& used)
      : graph_(graph), used_(used), kinds_(graph.n_nodes(), Kind::row) {}

  Causality run(std::span<const NodeId> outputs) {
    for (const NodeId node : graph_.ids())
      if (used_[node]) kinds_[node] = kind_of(node);
    share();
    for (const NodeId output : outputs)
      if (result_.shared[output])
        fail("the loss looks at '{}', which runs over positions", graph_.node(output).name);
    return std::move(result_);
  }

 private:
  Kind kind(const Operand& operand) const {
    return operand.node() ? kinds_[operand.node()] : Kind::fixed;
  }
  bool has(const Node& node, Kind kind) const {
    return std::ranges::any_of(node.operands,
                               [&](const Operand& o) { return this->kind(o) == kind; });
  }
  template <class... T>
  void fail(fmt::format_string<T...> format, T&&... values) {
    if (result_.obstacle.empty())
      result_.obstacle = fmt::format(format, std::forward<T>(values)...);
  }

  Kind kind_of(NodeId id) {
    const Node& node = graph_.node(id);
    if (const auto* ids = std::get_if<IdsSource>(&node.work)) return kind_of_ids(id, *ids);
    if (graph_.gathers_last(node)) return Kind::row;
    if (!has(node, Kind::past)) return has(node, Kind::row) ? Kind::row : Kind::fixed;
    if (!reaches_past_only(node)) return Kind::row;
    for (const Operand& operand : node.operands)
      if (kind(operand) == Kind::row)
        fail("op '{}' joins positions with '{}', which belongs to a whole row", node.name,
             graph_.node(operand.node()).name);
    return Kind::past;
  }

  Kind kind_of_ids(NodeId id, const IdsSource& ids) {
    if (id != graph_.history_node) return ids.constant ? Kind::fixed : Kind::row;
    if (graph_.padding == Padding::left)
      fail("histories are padded left, so where an item stands depends on what comes later");
    return Kind::past;
  }

  /// Whether a node that looks at positions keeps to the past of each. One that does not and looks
  /// at ids alone (a length) can be computed for every row.
  bool reaches_past_only(const Node& node) {
    const OperandShapes shapes = node.operand_shapes();
    bool past = node.shape.rank > 0 && node.shape.extent[0] == graph_.max_length();
    bool ids_alone = true;
    for (std::size_t o = 0; o < node.operands.size(); ++o) {
      if (kind(node.operands[o]) != Kind::past) continue;
      ids_alone = ids_alone && node.operands[o].ids;
      if (const Op* op = node.op()) past = past && op->reach(o, shapes.view()) != Reach::unknown;
      if (std::holds_alternative<SoftmaxHead>(node.work) ||
          std::holds_alternative<RowScores>(node.work))
        past = false;
    }
    if (!past && !ids_alone)
      fail("op '{}' may look at any position, not at the past alone", node.name);
    return past;
  }

  /// What runs over positions is shared, and what is fixed where it goes into that.
  void share() {
    ByNode<bool>& shared = result_.shared = ByNode<bool>(graph_.n_nodes(), false);
    for (const NodeId id : graph_.ids() | std::views::reverse) {
      if (!used_[id]) continue;
      const Node& node = graph_.node(id);
      if (kinds_[id] == Kind::past && !node.integer()) shared[id] = true;
      for (const Operand& operand : node.operands)
        if (operand.node() && shared[id]) shared[operand.node()] = true;
    }
    for (const NodeId id : graph_.ids()) {
      const Node& node = graph_.node(id);
      if (!used_[id] || shared[id] || graph_.gathers_last(node)) continue;
      for (const Operand& operand : node.operands)
        if (operand.var && shared[operand.node()])
          fail("op '{}' takes '{}', which runs over positions, into a whole row", node.name,
               graph_.node(operand.node()).name);
    }
  }

  const Graph& graph_;
  const ByNode<bool>& used_;
  ByNode<Kind> kinds_;
  Causality result_;
};

}  // namespace

Causality find_causality(const Graph& graph, const ByNode<bool>& used,
                         std::span<const NodeId> outputs) {
  return Proof(graph, used).run(outputs);
}

}  // namespace recloom::nn
