#include "nn/graph/graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "nn/graph/parameter_data.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

/// Numbers of a row that a node may have: 256 MiB. All products of its extents are then ints.
constexpr std::size_t kLargest = std::size_t{1} << 26;

/// What an author's op says of itself decides what memory is taken.
void require_legal(std::string_view op, const Shape& shape, std::size_t saved) {
  double size = 1;
  bool is_legal = shape.rank >= 0 && shape.rank <= 4;
  for (int axis = 0; is_legal && axis < shape.rank; ++axis) {
    is_legal = shape.extent[axis] >= 1;
    size *= shape.extent[axis];
  }
  if (!is_legal)
    throw ModelError(
        fmt::format("op {}: its output has rank {} or an extent below 1 (legal: at "
                    "most 4 axes of at least 1)",
                    op, shape.rank));
  if (size > static_cast<double>(kLargest) || saved > kLargest)
    throw ModelError(fmt::format("op {}: output {} and {} saved numbers of a row, at most {} each",
                                 op, to_text(shape), saved, kLargest));
}

OperandShapes shapes_of(std::span<const Operand> operands) {
  OperandShapes shapes;
  for (const Operand& operand : operands)
    (operand.ids ? shapes.ids : shapes.inputs).push_back(operand.shape());
  return shapes;
}

/// [.., columns of the table].
Shape looked_up(Shape ids, const Parameter& table) {
  table.shape();  // it was made
  if (ids.rank == 4)
    throw ModelError(fmt::format("lookup: ids have shape {}, no axis is left", to_text(ids)));
  ids.extent[ids.rank++] = to_extent(table.data()->columns());
  return ids;
}

}  // namespace

Shape shape_of(const Work& work, const OpShapes& operands) {
  return std::visit(
      [&]<class T>(const T& one) -> Shape {
        if constexpr (std::is_same_v<T, IdsSource>) {
          return one.shape;
        } else if constexpr (std::is_same_v<T, Lookup>) {
          return looked_up(operands.ids[0], one.table);
        } else if constexpr (std::is_same_v<T, RowScores>) {
          return operands.ids[0];
        } else if constexpr (std::is_same_v<T, SoftmaxHead>) {
          return {1};
        } else if constexpr (std::is_same_v<T, View>) {
          return one.shape(operands.inputs[0]);
        } else {
          const Shape shape = one->output_shape(operands);
          require_legal(one->name(), shape, one->saved_size(operands));
          return shape;
        }
      },
      work);
}

OperandShapes Node::operand_shapes() const { return shapes_of(operands); }

bool Graph::looks_at_last(const Node& node) const {
  return last_position_node && node.op() != nullptr && node.operands.size() == 2 &&
         node.operands[1].ids && node.operands[1].node() == last_position_node &&
         node.operands[0].var;
}
bool Graph::gathers_last(const Node& node) const {
  return looks_at_last(node) && node.operands[0].shape().rank == node.shape.rank + 1;
}

std::string Graph::take_name(std::string_view name) {
  std::string free(name);
  // Where the search ended before: a graph may have thousands of nodes of one op.
  if (names_.contains(free))
    for (int& number = next_number_.try_emplace(std::string(name), 2).first->second;
         names_.contains(free = fmt::format("{}.{}", name, number)); ++number) {
    }
  names_.insert(free);
  return free;
}

Var Graph::add(std::string_view name, Work work, std::vector<Operand> operands) {
  for (const Operand& operand : operands)
    if ((operand.var && operand.var.graph() != this) ||
        (operand.ids && operand.ids.graph() != this))
      throw ModelError(fmt::format(
          "op {}: an operand belongs to another recording; nothing of one may be kept", name));
  const OperandShapes shapes = shapes_of(operands);
  const Shape shape = shape_of(work, shapes.view());
  require_legal(name, shape, 0);
  nodes_.push_back({.name = take_name(name),
                    .shape = shape,
                    .work = std::move(work),
                    .operands = std::move(operands)});
  return {this, NodeId(nodes_.size() - 1)};
}

void Graph::rename(NodeId id, std::string_view name) {
  names_.erase(node(id).name);  // its own name is not taken
  node(id).name = take_name(name);
}

Ids Graph::add_ids(std::string_view name, IdsSource source) {
  return {this, add(name, std::move(source), {}).node()};
}

Ids Graph::ids_once(std::string_view name, const std::function<IdsSource()>& make) {
  for (const NodeId id : ids())
    if (node(id).integer() && node(id).name == name) return {this, id};
  return add_ids(name, make());
}

Shape Var::shape() const {
  if (graph_ == nullptr) throw ModelError("a Var is empty: nothing was computed into it");
  return graph_->node(node_).shape;
}
int Var::size() const { return shape().last(); }
Var Var::named(std::string_view name) const {
  shape();  // an empty one has no name
  graph_->rename(node_, name);
  return *this;
}
Shape Ids::shape() const {
  if (graph_ == nullptr) throw ModelError("Ids are empty: they come from no input");
  return graph_->node(node_).shape;
}

Op::~Op() = default;
std::size_t Op::saved_size(const OpShapes&) const { return 0; }
Reach Op::reach(std::size_t, const OpShapes&) const { return Reach::unknown; }
double Op::flops(const OpShapes&) const { return 0; }
bool Op::takes_one_of_positions() const noexcept { return false; }
bool Op::takes_first_write() const noexcept { return false; }

Var call_op(std::shared_ptr<const Op> op, std::span<const Operand> operands) {
  if (op == nullptr) throw ModelError("call: the op is a null pointer");
  Graph* graph = nullptr;
  for (const Operand& operand : operands) {
    if (operand.var || operand.ids) graph = operand.var ? operand.var.graph() : operand.ids.graph();
    if (!operand.var && !operand.parameter && !operand.ids)
      throw ModelError(fmt::format("op {}: an operand is empty", op->name()));
  }
  if (graph == nullptr)
    throw ModelError(fmt::format("op {}: no operand belongs to a row", op->name()));
  const std::string name(op->name());
  return graph->add(name, std::move(op), {operands.begin(), operands.end()});
}

}  // namespace recloom::nn
