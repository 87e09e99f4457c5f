#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/data/batch.hpp"
#include "recloom/nn/graph.hpp"
#include "recloom/nn/network_recommender.hpp"
#include "recloom/nn/op.hpp"

namespace recloom::nn {

/// Integers of a row, filled by the host: history, user, targets, positions.
struct IdsSource {
  std::function<void(const Derivation&, std::span<std::int32_t> output)> fill;
  bool constant = false;  ///< The same for every row.
};

/// Rows of a table: gradients are (row, vector) lists, not dense.
struct Lookup {
  Parameter table;
  bool trains_row_0 = false;
  bool of_users = false;  ///< Id 0 stands for an unknown user: the mean of all rows when scoring.
};

/// Dot products of a query with some rows of a table, which are read in place: gradients of the
/// table are (row, factor, query) lists.
struct RowScores {
  Parameter table;
};

/// Softmax cross-entropy of a query over all items: computed on the whole batch, between the
/// forward and the backward of the shards.
struct SoftmaxHead {
  ItemHead head;
};

/// The same floats in another shape.
struct View {};

using Work =
    std::variant<IdsSource, Lookup, RowScores, SoftmaxHead, View, std::shared_ptr<const Op>>;

/// Make the op of a node again, for one position instead of all: [L, ...] becomes [...].
/// @param operands those of the node. A Var whose Op::reach is Reach::same comes as it is at the
/// last position, without its first axis; everything else comes whole.
/// @param last_position where that is, [].
using Remake = std::function<Var(std::span<const Operand> operands, Ids last_position)>;

struct Node {
  std::string name;
  Shape shape;
  Work work;
  std::vector<Operand> operands;
  bool blocks_gradient = false;
  Remake remake = {};  ///< Of ops that work on each position alone; empty: all are wanted at once.

  bool integer() const { return std::holds_alternative<IdsSource>(work); }
  const Op* op() const {
    const auto* p = std::get_if<std::shared_ptr<const Op>>(&work);
    return p ? p->get() : nullptr;
  }
  /// Shapes of the Var and Parameter operands, as Op wants them.
  std::vector<Shape> input_shapes() const;
};

/// What a recording is made for.
struct GraphSettings {
  Catalogue catalogue;
  bool training = false;
  std::string loss = "CE";
  int n_negatives = 0;
  double gbce_t = 0;
  /// ln q of every item, [n_items]; empty: all alike. Only loss() looks at it.
  std::span<const float> log_q = {};
};

/// A recording of one row's computation, in the order it was written: operands come before users.
class RECLOOM_API Graph {
 public:
  explicit Graph(GraphSettings settings) : settings_(std::move(settings)) {}
  const GraphSettings& settings() const { return settings_; }
  const std::deque<Node>& nodes() const { return nodes_; }
  Node& node(std::int32_t index) { return nodes_[static_cast<std::size_t>(index)]; }
  const Node& node(std::int32_t index) const { return nodes_[static_cast<std::size_t>(index)]; }

  Var add(std::string_view name, const Shape& shape, Work work, std::vector<Operand> operands);
  /// Draws are keyed by names, so a name that is taken gets a number.
  void rename(std::int32_t node, std::string_view name);
  Ids add_ids(std::string_view name, const Shape& shape, IdsSource source);
  /// Return the ids recorded under this name, or record them.
  Ids ids_once(std::string_view name, const Shape& shape, const std::function<IdsSource()>& make);

  /// Take all nodes out, to put them in anew.
  std::deque<Node> take_nodes() { return std::exchange(nodes_, {}); }

  /// Whether a node is a History::last.
  bool takes_last(const Node& node) const;

  std::int32_t user_node = -1;           ///< The ids of users; -1: the model does not look at them.
  std::int32_t history_node = -1;        ///< The ids of histories; -1: none.
  std::int32_t last_position_node = -1;  ///< Where History::last takes from; -1: nowhere.
  int history_side = -1;  ///< Padding of the histories, one side per model; -1: none yet.

 private:
  std::string take_name(std::string_view name);
  GraphSettings settings_;
  std::deque<Node> nodes_;
  std::set<std::string, std::less<>> names_;
  std::map<std::string, int> next_number_;  ///< By name: where to look for a free number.
};

/// Say how a node is made for one position. @return the node.
inline Var with_remake(Var x, Remake remake) {
  x.graph()->node(x.node()).remake = std::move(remake);
  return x;
}

}  // namespace recloom::nn
