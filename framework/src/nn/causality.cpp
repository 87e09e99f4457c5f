#include "nn/causality.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nn/parameter_data.hpp"

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
  Proof(const Graph& graph, std::span<const char> used)
      : graph_(graph), used_(used), kinds_(graph.nodes().size(), Kind::row) {}

  Causality run(std::span<const std::int32_t> outputs) {
    for (std::int32_t node = 0; node < n_nodes(); ++node)
      if (is_used(node)) kinds_[static_cast<std::size_t>(node)] = kind_of(node);
    share();
    for (const std::int32_t output : outputs)
      if (is_shared(output))
        fail("the loss looks at '{}', which runs over positions", graph_.node(output).name);
    return std::move(result_);
  }

 private:
  std::int32_t n_nodes() const { return static_cast<std::int32_t>(kinds_.size()); }
  bool is_used(std::int32_t node) const { return used_[static_cast<std::size_t>(node)] != 0; }
  bool is_shared(std::int32_t node) const {
    return result_.shared[static_cast<std::size_t>(node)] != 0;
  }
  static std::int32_t source(const Operand& operand) {
    return operand.var ? operand.var.node() : operand.ids ? operand.ids.node() : -1;
  }
  Kind kind(const Operand& operand) const {
    const std::int32_t node = source(operand);
    return node < 0 ? Kind::fixed : kinds_[static_cast<std::size_t>(node)];
  }
  template <class... T>
  void fail(fmt::format_string<T...> format, T&&... values) {
    if (result_.obstacle.empty())
      result_.obstacle = fmt::format(format, std::forward<T>(values)...);
  }

  Kind kind_of(std::int32_t index) {
    const Node& node = graph_.node(index);
    if (const auto* ids = std::get_if<IdsSource>(&node.work)) return kind_of_ids(index, *ids);
    if (graph_.takes_last(node)) return Kind::row;
    const auto kinds = [&](Kind kind) {
      return std::ranges::count(node.operands, kind,
                                [&](const Operand& o) { return this->kind(o); });
    };
    if (kinds(Kind::past) == 0) return kinds(Kind::row) == 0 ? Kind::fixed : Kind::row;
    if (!reaches_past_only(node)) return Kind::row;
    for (const Operand& operand : node.operands)
      if (kind(operand) == Kind::row)
        fail("op '{}' joins positions with '{}', which belongs to a whole row", node.name,
             graph_.node(source(operand)).name);
    return Kind::past;
  }

  Kind kind_of_ids(std::int32_t index, const IdsSource& ids) {
    if (index != graph_.history_node) return ids.constant ? Kind::fixed : Kind::row;
    if (graph_.history_side == static_cast<int>(Padding::left))
      fail("histories are padded left, so where an item stands depends on what comes later");
    return Kind::past;
  }

  /// Whether a node that looks at positions keeps to the past of each. One that does not and looks
  /// at ids alone (a length) can be computed for every row.
  bool reaches_past_only(const Node& node) {
    const std::vector<Shape> shapes = node.input_shapes();
    const int length = graph_.settings().catalogue.max_length;
    bool past = node.shape.rank > 0 && node.shape.extent[0] == length;
    bool ids_alone = true;
    for (std::size_t o = 0; o < node.operands.size(); ++o) {
      if (kind(node.operands[o]) != Kind::past) continue;
      ids_alone = ids_alone && node.operands[o].ids;
      if (const Op* op = node.op()) past = past && op->reach(o, shapes) != Reach::unknown;
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
    result_.shared.assign(kinds_.size(), 0);
    for (std::int32_t index = n_nodes() - 1; index >= 0; --index) {
      if (!is_used(index)) continue;
      const auto at = static_cast<std::size_t>(index);
      const Node& node = graph_.node(index);
      if (kinds_[at] == Kind::past && !node.integer()) result_.shared[at] = 1;
      for (const Operand& operand : node.operands)
        if (const std::int32_t from = source(operand); from >= 0 && is_shared(index))
          result_.shared[static_cast<std::size_t>(from)] = 1;
    }
    for (std::int32_t index = 0; index < n_nodes(); ++index) {
      const Node& node = graph_.node(index);
      if (!is_used(index) || is_shared(index) || graph_.takes_last(node)) continue;
      for (const Operand& operand : node.operands)
        if (operand.var && is_shared(operand.var.node()))
          fail("op '{}' takes '{}', which runs over positions, into a whole row", node.name,
               graph_.node(operand.var.node()).name);
    }
  }

  const Graph& graph_;
  std::span<const char> used_;
  std::vector<Kind> kinds_;
  Causality result_;
};

}  // namespace

Causality find_causality(const Graph& graph, std::span<const char> used,
                         std::span<const std::int32_t> outputs) {
  return Proof(graph, used).run(outputs);
}

}  // namespace recloom::nn
