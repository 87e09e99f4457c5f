#include "nn/passes/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "nn/graph/parameter_data.hpp"
#include "nn/ops/over_items.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

/// Numbers of a row, 64 GiB: times the rows of a shard they can still be counted.
constexpr std::size_t kMostPerRow = std::size_t{1} << 34;

}  // namespace

ByNode<bool> used_nodes(const Graph& graph, std::span<const NodeId> outputs) {
  ByNode<bool> used(graph.n_nodes(), false);
  for (const NodeId output : outputs) used[output] = true;
  for (const NodeId id : graph.ids() | std::views::reverse) {
    if (!used[id]) continue;
    for (const Operand& operand : graph.node(id).operands) {
      const NodeId source = operand.node();
      if (!source) continue;
      if (std::holds_alternative<SoftmaxHead>(graph.node(source).work))
        throw ModelError(
            fmt::format("op {}: the loss over all items is known only after the whole "
                        "batch, no op can use it",
                        graph.node(id).name));
      used[source] = true;
    }
  }
  return used;
}

Plan::Plan(const Graph& graph, const PlanSettings& settings)
    : graph_(graph),
      length_(settings.length > 0 ? settings.length : graph.max_length()),
      shares_past_(settings.shared != nullptr),
      slots_(graph.n_nodes()),
      shapes_(graph.n_nodes()),
      operand_shapes_(graph.n_nodes()),
      first_writes_(graph.n_nodes()) {
  const ByNode<bool> used = used_nodes(graph, settings.outputs);
  for (const NodeId node : nodes()) {
    slots_[node].used = used[node];
    slots_[node].shared = settings.shared != nullptr && (*settings.shared)[node];
  }
  for (const NodeId output : settings.outputs) slots_[output].output = true;
  find_shapes();
  if (settings.backward) mark_gradients();
  for (const NodeId node : nodes())
    if (slot(node).used) place(node);
  place_diffs();
  const std::size_t numbers = values_per_row_ + diffs_per_row_ + saved_per_row_ + ids_per_row_;
  if (numbers > kMostPerRow)
    throw ModelError(fmt::format("the network keeps {} numbers of a row, at most {} are possible",
                                 numbers, kMostPerRow));
}

void Plan::find_shapes() {
  for (const NodeId id : nodes()) {
    const Node& node = graph_.node(id);
    OperandShapes& shapes = operand_shapes_[id];
    for (const Operand& operand : node.operands)
      (operand.ids ? shapes.ids : shapes.inputs)
          .push_back(operand.parameter ? operand.parameter.shape() : shapes_[operand.node()]);
    if (length_ == graph_.max_length()) {
      shapes_[id] = node.shape;
    } else if (const auto* ids = std::get_if<IdsSource>(&node.work)) {
      shapes_[id] = node.shape;
      if (ids->over_positions) shapes_[id].extent[0] = length_;
    } else if (slot(id).used) {
      shapes_[id] = shape_of(node.work, shapes.view());
    }
  }
}

void Plan::mark_gradients() {
  for (const NodeId id : nodes()) {
    const Node& node = graph_.node(id);
    Slot& own = slots_[id];
    if (!own.used || node.blocks_gradient || node.integer()) continue;
    if (const auto* work = std::get_if<Lookup>(&node.work))
      own.gradient = work->table.data()->trained;
    if (const auto* work = std::get_if<RowScores>(&node.work))
      own.gradient = work->table.data()->trained;
    if (std::holds_alternative<SoftmaxHead>(node.work)) own.gradient = true;
    for (const Operand& operand : node.operands) {
      if (operand.var && slot(operand.node()).gradient) own.gradient = true;
      if (!operand.parameter || !operand.parameter.data()->trained) continue;
      own.gradient = true;
      add_dense(operand.parameter, id);
    }
  }
}

void Plan::add_dense(Parameter parameter, NodeId user) {
  for (Dense& dense : dense_)
    if (dense.parameter.data() == parameter.data()) {
      if (dense.only_user != user) dense.only_user = {};
      return;
    }
  dense_.push_back({parameter, dense_size_, user});
  dense_size_ += (parameter.data()->values.size() + 15) / 16 * 16;
}

void Plan::place(NodeId id) {
  const Node& node = graph_.node(id);
  Slot& own = slots_[id];
  own.size = count(shape(id));
  if (node.integer()) {
    own.value = ids_per_row_;
    ids_per_row_ += own.size;
    if (own.shared) {
      own.shared_value = ids_per_row_;
      ids_per_row_ += own.size;
    }
    return;
  }
  if (node.is_view()) {
    own.value = slot(node.operands.front().node()).value;
    return;
  }
  own.value = values_per_row_;
  values_per_row_ += own.size;
  if (const Op* op = node.op()) {
    own.saved_size = op->saved_size(operand_shapes(id));
    own.saved = saved_per_row_;
    saved_per_row_ += own.saved_size;
  }
}

NodeId Plan::viewed(NodeId node) const {
  while (graph_.node(node).is_view()) node = graph_.node(node).operands.front().node();
  return node;
}

/// Nodes whose gradient is written before a shard's backward or read after it. Those that tables
/// gather, that the host seeds, and of ops that may be computed for a whole batch.
ByNode<bool> Plan::lasting_diffs() const {
  ByNode<bool> lasting(n_nodes(), false);
  for (const NodeId id : nodes()) {
    const Node& node = graph_.node(id);
    if (!slot(id).used) continue;
    const bool head = std::holds_alternative<SoftmaxHead>(node.work);
    if (slot(id).output || head || std::holds_alternative<Lookup>(node.work) ||
        std::holds_alternative<RowScores>(node.work) || is_over_items(node))
      lasting[viewed(id)] = true;
    if (head) lasting[viewed(node.operands.front().node())] = true;
  }
  return lasting;
}

void Plan::place_diffs() {
  const ByNode<bool> lasting = lasting_diffs();
  ByNode<NodeId> first_writer(n_nodes());
  for (const NodeId id : nodes()) {
    if (!slot(id).used || !slot(id).gradient || graph_.node(id).is_view()) continue;
    for (const Operand& operand : graph_.node(id).operands)
      if (operand.var) first_writer[viewed(operand.node())] = id;
  }
  for (const NodeId id : nodes()) {
    Slot& own = slots_[id];
    if (!own.used || !own.gradient || graph_.node(id).is_view()) continue;
    own.transient = !lasting[id];
    if (own.transient) {
      first_writes_[std::max(id, first_writer[id])].push_back(id);
    } else {
      own.diff = diffs_per_row_;
      diffs_per_row_ += own.size;
    }
  }
  place_transient();
  for (const NodeId id : nodes()) {
    const Slot source = slot(viewed(id));
    slots_[id].diff = source.diff;
    slots_[id].transient = source.transient;
  }
}

/// In the order of backward, from the first who writes to a gradient to the node itself: each at
/// the lowest place that is free all that time.
void Plan::place_transient() {
  std::vector<NodeId> live;  // By place.
  for (const NodeId id : nodes() | std::views::reverse) {
    for (const NodeId written : first_writes(id)) {
      Slot& own = slots_[written];
      auto next = live.begin();
      for (; next != live.end() && slot(*next).diff < own.diff + own.size; ++next)
        own.diff = slot(*next).diff + slot(*next).size;
      live.insert(next, written);
      transient_per_row_ = std::max(transient_per_row_, own.diff + own.size);
    }
    std::erase(live, id);
  }
}

const Plan::Dense* Plan::find_dense(const ParameterData* parameter) const {
  const auto found = std::ranges::find_if(
      dense_, [&](const Dense& dense) { return dense.parameter.data() == parameter; });
  return found == dense_.end() ? nullptr : &*found;
}

}  // namespace recloom::nn
