#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/core/types.hpp"
#include "recloom/nn/convolution.hpp"
#include "recloom/nn/derivation.hpp"
#include "recloom/nn/item_head.hpp"
#include "recloom/nn/loss_reduction.hpp"
#include "recloom/nn/op.hpp"

namespace recloom::nn {

/// Integers of a row, filled by the host: history, user, targets, positions.
struct IdsSource {
  Shape shape;
  std::function<void(const Derivation&, std::span<std::int32_t> output)> fill;
  bool constant = false;        ///< The same for every row.
  bool over_positions = false;  ///< [L], of as many positions as there are.
};

/// Rows of a table: gradients are (row, vector) lists, not dense. Operand: the rows' ids.
struct Lookup {
  Parameter table;
  bool trains_row_0 = false;
  bool of_users = false;  ///< Id 0 stands for an unknown user: the mean of all rows when scoring.
};

/// Dot products of a query with some rows of a table, which are read in place: gradients of the
/// table are (row, factor, query) lists. Operands: query, the rows' ids.
struct RowScores {
  Parameter table;
  bool trains_row_0 = false;
};

/// Softmax cross-entropy of a query over all items: computed on the whole batch, between the
/// forward and the backward of the shards. Operands: query, targets.
struct SoftmaxHead {
  ItemHead head;
};

/// The same floats in another shape.
struct View {
  Shape (*shape)(const Shape&);
};

using Work =
    std::variant<IdsSource, Lookup, RowScores, SoftmaxHead, View, std::shared_ptr<const Op>>;

/// Shapes of a node's operands, with memory of their own.
struct OperandShapes {
  std::vector<Shape> inputs, ids;
  OpShapes view() const { return {inputs, ids}; }
};

/// What work makes of its operands. @throws ModelError they do not fit, an author's op says what is
/// not possible.
Shape shape_of(const Work& work, const OpShapes& operands);

struct Node {
  std::string name;
  Shape shape;  ///< For histories of L.
  Work work;
  std::vector<Operand> operands;
  bool blocks_gradient = false;
  bool at_last = false;  ///< Computed at the last position alone, [1, ...].

  bool integer() const { return std::holds_alternative<IdsSource>(work); }
  bool is_view() const { return std::holds_alternative<View>(work); }
  const Op* op() const {
    const auto* p = std::get_if<std::shared_ptr<const Op>>(&work);
    return p ? p->get() : nullptr;
  }
  /// For histories of L.
  RECLOOM_API OperandShapes operand_shapes() const;
};

/// What a recording is made for.
struct GraphSettings {
  Catalogue catalogue;
  bool training = false;
  std::string loss = "CE";
  LossReduction reduction = LossReduction::mean;
  int n_targets = 1;
  int n_negatives = 0;
  double gbce_t = 0;
  /// ln q of every item, [n_items]; empty: all alike. Only loss() looks at it.
  std::span<const float> log_q = {};
  Convolution convolution = Convolution::automatic;
};

/// The first n nodes of a graph.
inline auto node_ids(std::size_t n) {
  return std::views::iota(std::size_t{0}, n) |
         std::views::transform([](std::size_t index) { return NodeId(index); });
}

/// Things by node.
template <class T>
class ByNode {
 public:
  ByNode() = default;
  explicit ByNode(std::size_t n_nodes, const T& value = T()) : all_(n_nodes, value) {}
  auto& operator[](NodeId node) { return all_[node.index()]; }
  const auto& operator[](NodeId node) const { return all_[node.index()]; }
  std::size_t size() const { return all_.size(); }
  void fill(const T& value) { std::ranges::fill(all_, value); }

 private:
  // A vector of bool has no elements to refer to.
  std::vector<std::conditional_t<std::is_same_v<T, bool>, char, T>> all_;
};

/// A recording of one row's computation, in the order it was written: operands come before users.
class RECLOOM_API Graph {
 public:
  explicit Graph(GraphSettings settings) : settings_(std::move(settings)) {}
  Graph(const Graph&) = delete;  // A Var knows where its graph lies.
  Graph& operator=(const Graph&) = delete;
  const GraphSettings& settings() const { return settings_; }
  int max_length() const { return settings_.catalogue.max_length; }
  std::size_t n_nodes() const { return nodes_.size(); }
  Node& node(NodeId id) { return nodes_[id.index()]; }
  const Node& node(NodeId id) const { return nodes_[id.index()]; }
  /// All nodes, operands before users.
  auto ids() const { return node_ids(n_nodes()); }

  Var add(std::string_view name, Work work, std::vector<Operand> operands);
  /// Draws are keyed by names, so a name that is taken gets a number.
  void rename(NodeId node, std::string_view name);
  Ids add_ids(std::string_view name, IdsSource source);
  /// Return the ids recorded under this name, or record them.
  Ids ids_once(std::string_view name, const std::function<IdsSource()>& make);

  /// Take all nodes out, to put them in anew.
  std::deque<Node> take_nodes() { return std::exchange(nodes_, {}); }

  /// Whether a node gathers what stands at the last position: a History::last.
  bool gathers_last(const Node& node) const;
  /// The same, or what a pass made of it, which keeps the time axis.
  bool looks_at_last(const Node& node) const;

  NodeId user_node;                ///< The ids of users; none: the model does not look at them.
  NodeId history_node;             ///< The ids of histories.
  NodeId last_position_node;       ///< Where History::last takes from.
  std::optional<Padding> padding;  ///< Of the histories, one side per model.

 private:
  std::string take_name(std::string_view name);
  GraphSettings settings_;
  std::deque<Node> nodes_;
  std::set<std::string, std::less<>> names_;
  std::map<std::string, int> next_number_;  ///< By name: where to look for a free number.
};

}  // namespace recloom::nn
