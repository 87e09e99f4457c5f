#include "nn/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nn/item_ops.hpp"
#include "nn/parameter_data.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

/// Numbers of a row, 64 GiB: times the rows of a shard they can still be counted.
constexpr std::size_t kMostPerRow = std::size_t{1} << 34;

}  // namespace

Plan::Plan(const Graph& graph, std::span<const std::int32_t> outputs, bool backward,
           bool share_past)
    : graph_(graph),
      shares_past_(share_past),
      slots_(graph.nodes().size()),
      first_adds_(graph.nodes().size()) {
  mark_used(outputs);
  if (share_past) mark_shared(outputs);
  if (backward) mark_gradients();
  for (std::int32_t node = 0; node < n_nodes(); ++node)
    if (slot(node).used) place(node);
  place_diffs();
  const std::size_t numbers = values_per_row_ + diffs_per_row_ + saved_per_row_ + ids_per_row_;
  if (numbers > kMostPerRow)
    throw ModelError(fmt::format("the network keeps {} numbers of a row, at most {} are possible",
                                 numbers, kMostPerRow));
}

void Plan::mark_used(std::span<const std::int32_t> outputs) {
  for (const std::int32_t output : outputs) {
    Slot& slot = slots_[static_cast<std::size_t>(output)];
    slot.used = slot.output = true;
  }
  for (std::int32_t node = n_nodes() - 1; node >= 0; --node) {
    if (!slot(node).used) continue;
    for (const Operand& operand : graph_.node(node).operands) {
      const std::int32_t source = operand.var   ? operand.var.node()
                                  : operand.ids ? operand.ids.node()
                                                : -1;
      if (source < 0) continue;
      if (std::holds_alternative<SoftmaxHead>(graph_.node(source).work))
        throw ModelError(
            fmt::format("op {}: the loss over all items is known only after the whole "
                        "batch, no op can use it",
                        graph_.node(node).name));
      slots_[static_cast<std::size_t>(source)].used = true;
    }
  }
}

Causality Plan::causality(std::span<const std::int32_t> outputs) const {
  std::vector<char> used;
  for (const Slot& slot : slots_) used.push_back(slot.used ? 1 : 0);
  return find_causality(graph_, used, outputs);
}

void Plan::mark_shared(std::span<const std::int32_t> outputs) {
  const Causality found = causality(outputs);
  if (!found.obstacle.empty()) throw ModelError(found.obstacle);
  for (std::size_t node = 0; node < slots_.size(); ++node)
    slots_[node].shared = found.shared[node] != 0;
}

void Plan::mark_gradients() {
  for (std::int32_t index = 0; index < n_nodes(); ++index) {
    const Node& node = graph_.node(index);
    Slot& own = slots_[static_cast<std::size_t>(index)];
    if (!own.used || node.blocks_gradient || node.integer()) continue;
    if (const auto* work = std::get_if<Lookup>(&node.work))
      own.gradient = work->table.data()->trained;
    if (const auto* work = std::get_if<RowScores>(&node.work))
      own.gradient = work->table.data()->trained;
    if (std::holds_alternative<SoftmaxHead>(node.work)) own.gradient = true;
    for (const Operand& operand : node.operands) {
      if (operand.var && slot(operand.var.node()).gradient) own.gradient = true;
      if (!operand.parameter || !operand.parameter.data()->trained) continue;
      own.gradient = true;
      add_dense(operand.parameter, index);
    }
  }
}

void Plan::add_dense(Parameter parameter, std::int32_t user) {
  for (Dense& dense : dense_)
    if (dense.parameter.data() == parameter.data()) {
      if (dense.only_user != user) dense.only_user = -1;
      return;
    }
  dense_.push_back({parameter, dense_size_, user});
  dense_size_ += (parameter.data()->values.size() + 15) / 16 * 16;
}

void Plan::place(std::int32_t index) {
  const Node& node = graph_.node(index);
  Slot& own = slots_[static_cast<std::size_t>(index)];
  own.size = count(node.shape);
  if (node.integer()) {
    own.value = ids_per_row_;
    ids_per_row_ += own.size;
    if (own.shared) {
      own.shared_value = ids_per_row_;
      ids_per_row_ += own.size;
    }
    return;
  }
  if (std::holds_alternative<View>(node.work)) {
    own.value = slot(node.operands.front().var.node()).value;
    return;
  }
  own.value = values_per_row_;
  values_per_row_ += own.size;
  if (const Op* op = node.op()) {
    own.saved_size = op->saved_size(node.input_shapes());
    own.saved = saved_per_row_;
    saved_per_row_ += own.saved_size;
  }
}

std::int32_t Plan::viewed(std::int32_t node) const {
  while (std::holds_alternative<View>(graph_.node(node).work))
    node = graph_.node(node).operands.front().var.node();
  return node;
}

/// By node: whether its gradient is written before a shard's backward or read after it. Those that
/// tables gather, that the host seeds, and of ops that may be computed for a whole batch.
std::vector<char> Plan::lasting_diffs() const {
  std::vector<char> lasting(slots_.size());
  for (std::int32_t index = 0; index < n_nodes(); ++index) {
    const Node& node = graph_.node(index);
    if (!slot(index).used) continue;
    const bool head = std::holds_alternative<SoftmaxHead>(node.work);
    if (slot(index).output || head || std::holds_alternative<Lookup>(node.work) ||
        std::holds_alternative<RowScores>(node.work) || has_item_op(node))
      lasting[static_cast<std::size_t>(viewed(index))] = 1;
    if (head) lasting[static_cast<std::size_t>(viewed(node.operands.front().var.node()))] = 1;
  }
  return lasting;
}

void Plan::place_diffs() {
  const std::vector<char> lasting = lasting_diffs();
  std::vector<std::int32_t> first_adder(slots_.size(), -1);
  for (std::int32_t index = 0; index < n_nodes(); ++index) {
    if (!slot(index).used || !slot(index).gradient || viewed(index) != index) continue;
    for (const Operand& operand : graph_.node(index).operands)
      if (operand.var) first_adder[static_cast<std::size_t>(viewed(operand.var.node()))] = index;
  }
  for (std::int32_t index = 0; index < n_nodes(); ++index) {
    Slot& own = slots_[static_cast<std::size_t>(index)];
    if (!own.used || !own.gradient || viewed(index) != index) continue;
    own.passing = lasting[static_cast<std::size_t>(index)] == 0;
    if (own.passing) {
      const std::int32_t adder = std::max(index, first_adder[static_cast<std::size_t>(index)]);
      first_adds_[static_cast<std::size_t>(adder)].push_back(index);
    } else {
      own.diff = diffs_per_row_;
      diffs_per_row_ += own.size;
    }
  }
  place_passing();
  for (std::int32_t index = 0; index < n_nodes(); ++index) {
    const Slot& source = slot(viewed(index));
    slots_[static_cast<std::size_t>(index)].diff = source.diff;
    slots_[static_cast<std::size_t>(index)].passing = source.passing;
  }
}

/// In the order of backward, from the first who adds to a gradient to the node itself: each at the
/// lowest place that is free all that time.
void Plan::place_passing() {
  std::vector<std::int32_t> live;  // By place.
  for (std::int32_t index = n_nodes() - 1; index >= 0; --index) {
    for (const std::int32_t added : first_adds(index)) {
      Slot& own = slots_[static_cast<std::size_t>(added)];
      auto next = live.begin();
      for (; next != live.end() && slot(*next).diff < own.diff + own.size; ++next)
        own.diff = slot(*next).diff + slot(*next).size;
      live.insert(next, added);
      passing_per_row_ = std::max(passing_per_row_, own.diff + own.size);
    }
    std::erase(live, index);
  }
}

const Plan::Dense* Plan::find_dense(const ParameterData* parameter) const {
  const auto found = std::find_if(dense_.begin(), dense_.end(), [&](const Dense& dense) {
    return dense.parameter.data() == parameter;
  });
  return found == dense_.end() ? nullptr : &*found;
}

}  // namespace recloom::nn
