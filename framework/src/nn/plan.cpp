#include "nn/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nn/parameter_data.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {

Plan::Plan(const Graph& graph, std::span<const std::int32_t> outputs, bool backward,
           bool share_past)
    : graph_(graph), shares_past_(share_past), slots_(graph.nodes().size()) {
  mark_used(outputs);
  if (share_past) mark_shared(outputs);
  if (backward) mark_gradients();
  for (std::int32_t node = 0; node < n_nodes(); ++node)
    if (slot(node).used) place(node);
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
    const Slot& source = slot(node.operands.front().var.node());
    own.value = source.value;
    own.diff = source.diff;
    return;
  }
  own.value = values_per_row_;
  values_per_row_ += own.size;
  if (own.gradient) {
    own.diff = diffs_per_row_;
    diffs_per_row_ += own.size;
  }
  if (const Op* op = node.op()) {
    own.saved_size = op->saved_size(node.input_shapes());
    own.saved = saved_per_row_;
    saved_per_row_ += own.saved_size;
  }
}

const Plan::Dense* Plan::find_dense(const ParameterData* parameter) const {
  const auto found = std::find_if(dense_.begin(), dense_.end(), [&](const Dense& dense) {
    return dense.parameter.data() == parameter;
  });
  return found == dense_.end() ? nullptr : &*found;
}

}  // namespace recloom::nn
