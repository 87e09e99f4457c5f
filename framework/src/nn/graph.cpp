#include "recloom/nn/graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "nn/graph_impl.hpp"
#include "nn/ops_internal.hpp"
#include "nn/parameter_data.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/op.hpp"

namespace recloom::nn {

std::vector<Shape> Node::input_shapes() const {
  std::vector<Shape> shapes;
  for (const Operand& operand : operands) {
    if (operand.var) shapes.push_back(operand.var.shape());
    if (operand.parameter) shapes.push_back(operand.parameter.shape());
  }
  return shapes;
}

bool Graph::takes_last(const Node& node) const {
  return last_position_node >= 0 && node.op() != nullptr && node.operands.size() == 2 &&
         node.operands[1].ids && node.operands[1].ids.node() == last_position_node &&
         node.operands[0].var && node.operands[0].var.shape().rank == node.shape.rank + 1;
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

}  // namespace

Var Graph::add(std::string_view name, const Shape& shape, Work work,
               std::vector<Operand> operands) {
  require_legal(name, shape, 0);
  nodes_.push_back({take_name(name), shape, std::move(work), std::move(operands), false, {}});
  return {this, static_cast<std::int32_t>(nodes_.size()) - 1};
}

void Graph::rename(std::int32_t index, std::string_view name) {
  names_.erase(node(index).name);  // its own name is not taken
  node(index).name = take_name(name);
}

Ids Graph::add_ids(std::string_view name, const Shape& shape, IdsSource source) {
  const Var node = add(name, shape, std::move(source), {});
  return {this, node.node()};
}

Ids Graph::ids_once(std::string_view name, const Shape& shape,
                    const std::function<IdsSource()>& make) {
  for (std::size_t index = 0; index < nodes_.size(); ++index)
    if (nodes_[index].integer() && nodes_[index].name == name)
      return {this, static_cast<std::int32_t>(index)};
  return add_ids(name, shape, make());
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
std::size_t Op::saved_size(std::span<const Shape>) const { return 0; }
Reach Op::reach(std::size_t, std::span<const Shape>) const { return Reach::unknown; }
double Op::flops(std::span<const Shape>) const { return 0; }

void ShapedOp::backward_into(const OpBackward& c, std::span<const char> fresh) const {
  for (std::size_t input = 0; input < fresh.size(); ++input)
    if (fresh[input] != 0) std::ranges::fill(c.input_gradients[input], 0.0F);
  backward(c);
}

Var call_op(std::shared_ptr<const Op> op, std::span<const Operand> operands) {
  if (op == nullptr) throw ModelError("call: the op is a null pointer");
  Graph* graph = nullptr;
  std::vector<Shape> shapes;
  for (const Operand& operand : operands) {
    if (operand.var) shapes.push_back(operand.var.shape());
    if (operand.parameter) shapes.push_back(operand.parameter.shape());
    if (operand.var || operand.ids) graph = operand.var ? operand.var.graph() : operand.ids.graph();
    if (!operand.var && !operand.parameter && !operand.ids)
      throw ModelError(fmt::format("op {}: an operand is empty", op->name()));
  }
  if (graph == nullptr)
    throw ModelError(fmt::format("op {}: no operand belongs to a row", op->name()));
  const Shape shape = op->output_shape(shapes);
  require_legal(op->name(), shape, op->saved_size(shapes));
  const std::string name(op->name());
  return graph->add(name, shape, std::move(op), {operands.begin(), operands.end()});
}

Loss& Loss::operator+=(const Loss& other) {
  terms_.insert(terms_.end(), other.terms_.begin(), other.terms_.end());
  return *this;
}
Loss operator+(Loss a, const Loss& b) { return a += b; }
Loss operator*(double factor, const Loss& a) {
  Loss scaled;
  if (factor == 0) return scaled;
  for (LossTerm term : a.terms()) {
    term.factor *= factor;
    scaled += Loss(term);
  }
  return scaled;
}

Loss mean(Var per_row) {
  if (count(per_row.shape()) != 1)
    throw ModelError(fmt::format("mean: '{}' has shape {}, a loss needs one number per row",
                                 per_row.graph()->node(per_row.node()).name,
                                 to_text(per_row.shape())));
  return Loss(
      LossTerm{.kind = LossTerm::Kind::mean, .factor = 1, .value = per_row, .parameter = {}});
}

namespace {
Loss penalty(LossTerm::Kind kind, Parameter p) {
  return p ? Loss(LossTerm{.kind = kind, .factor = 1, .value = {}, .parameter = p}) : Loss();
}
Loss penalty(LossTerm::Kind kind, Var x) {
  return x ? Loss(LossTerm{.kind = kind, .factor = 1, .value = x, .parameter = {}}) : Loss();
}
}  // namespace

Loss norm(Parameter p) { return penalty(LossTerm::Kind::parameter_norm, p); }
Loss sum_abs(Parameter p) { return penalty(LossTerm::Kind::parameter_abs, p); }
Loss sum_squares(Parameter p) { return penalty(LossTerm::Kind::parameter_squares, p); }
Loss norm(Var x) { return penalty(LossTerm::Kind::norm, x); }
Loss emb_loss(Var x) { return penalty(LossTerm::Kind::norm_per_row, x); }

}  // namespace recloom::nn
