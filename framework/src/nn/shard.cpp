#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <utility>

#include "kernels/vector.hpp"
#include "nn/ops_internal.hpp"
#include "nn/parameter_data.hpp"
#include "nn/plan.hpp"
#include "nn/step_trace.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

/// A node by what it computes with: its first parameter, else its own name.
std::string_view traced_name(const Node& node) {
  if (const auto* work = std::get_if<Lookup>(&node.work)) return work->table.name();
  if (const auto* work = std::get_if<RowScores>(&node.work)) return work->table.name();
  for (const Operand& operand : node.operands)
    if (operand.parameter) return operand.parameter.name();
  return node.name;
}

/// A model's own derive() may err.
void check_ids(std::span<const std::int32_t> ids, const ParameterData& table) {
  for (const std::int32_t id : ids)
    if (static_cast<std::size_t>(id) >= table.rows())
      throw ModelError(fmt::format("id {} of table '{}' {}", id, table.name, to_text(table.shape)));
}

/// Run what may be an author's code for a node. What it throws arrives as an error that names it.
template <class Body>
void guarded(const Node& node, Body body) {
  std::string reason;
  try {
    return body();
  } catch (const InternalError&) {
    throw;
  } catch (const Interrupted&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    reason = error.what();
  } catch (...) {
    reason = "threw something that is no std::exception";
  }
  const std::string own = node.op() != nullptr ? fmt::format("{}: ", node.op()->name()) : "";
  if (!own.empty() && reason.starts_with(own)) reason.erase(0, own.size());
  throw PluginError(fmt::format("op '{}': {}", node.name, reason));
}

}  // namespace

Shard::Shard(const Plan& plan, std::size_t capacity)
    : plan_(&plan),
      capacity_(capacity),
      values_(plan.values_per_row() * capacity),
      diffs_(plan.diffs_per_row() * capacity),
      saved_(plan.saved_per_row() * capacity),
      dense_diff_(plan.dense_size()),
      ids_(plan.ids_per_row() * capacity),
      row_ids_(capacity),
      roles_(static_cast<std::size_t>(plan.n_nodes())),
      fresh_(static_cast<std::size_t>(plan.n_nodes())) {
  leaders_.reserve(capacity);
  leader_ids_.reserve(capacity);
  leader_of_row_.reserve(capacity);
}

void Shard::load(const Batch& rows, const DrawKeys& keys) {
  rows_ = rows.size();
  keys_ = keys;
  std::ranges::fill(roles_, Role::computed);
  const bool training = plan_->graph().settings().training;
  const Rng rng = Rng(keys.seed).fork("derive", keys.epoch);
  for (std::size_t r = 0; r < rows_; ++r) {
    const Row row = rows[r];
    row_ids_[r] = row.id;
    const Derivation derivation{row, rng.fork("row", static_cast<std::uint64_t>(row.id)), training};
    for (std::int32_t node = 0; node < plan_->n_nodes(); ++node) {
      const auto* source = std::get_if<IdsSource>(&plan_->graph().node(node).work);
      const Plan::Slot& slot = plan_->slot(node);
      if (source == nullptr || !slot.used) continue;
      guarded(plan_->graph().node(node), [&] {
        source->fill(derivation, {ids_.data() + slot.value * capacity_ + r * slot.size, slot.size});
      });
    }
  }
  find_leaders(rows);
}

std::span<float> Shard::value(std::int32_t node) {
  const Plan::Slot& slot = plan_->slot(node);
  return {values_.data() + slot.value * capacity_, slot.size * rows_of(node)};
}
std::span<float> Shard::diff(std::int32_t node) {
  const Plan::Slot& slot = plan_->slot(node);
  if (!slot.gradient || (slot.passing && passing_.empty())) return {};
  if (slot.passing) return {passing_.data() + slot.diff * rows_, slot.size * rows_of(node)};
  return {diffs_.data() + slot.diff * capacity_, slot.size * rows_of(node)};
}
std::span<float> Shard::saved(std::int32_t node) {
  const Plan::Slot& slot = plan_->slot(node);
  return {saved_.data() + slot.saved * capacity_, slot.saved_size * rows_of(node)};
}
std::span<const std::int32_t> Shard::ids(std::int32_t node) const {
  const Plan::Slot& slot = plan_->slot(node);
  return {ids_.data() + slot.value * capacity_, slot.size * rows_};
}
std::span<const std::int32_t> Shard::ids(std::int32_t node, std::int32_t user) const {
  if (!plan_->slot(user).shared) return ids(node);
  const Plan::Slot& slot = plan_->slot(node);
  return {ids_.data() + slot.shared_value * capacity_, slot.size * leaders_.size()};
}
std::span<const std::int32_t> Shard::lookup_ids(std::int32_t node) const {
  return ids(plan_->graph().node(node).operands.back().ids.node(), node);
}

void Shard::forward(const RunContext* run) {
  for (std::int32_t node = 0; node < plan_->n_nodes(); ++node) {
    if (!computed(node)) continue;
    if (run != nullptr) run->check_stop();
    guarded(plan_->graph().node(node), [&] { forward(node); });
  }
}

void Shard::forward(std::int32_t index) {
  const Node& node = plan_->graph().node(index);
  const Op* op = node.op();
  const auto* table = std::get_if<Lookup>(&node.work);
  const auto* scores = std::get_if<RowScores>(&node.work);
  if (op == nullptr && table == nullptr && scores == nullptr) return;
  trace_step({"forward", traced_name(node), &node, rows_of(index)});
  if (table != nullptr) return lookup(index, *table);
  if (scores != nullptr) return row_scores(index, *scores);
  if (takes_shared(node)) return take_last(index);
  gather_operands(index);
  OpForward c;
  static_cast<OpContext&>(c) = context(index);
  c.output = value(index);
  c.saved = saved(index);
  op->forward(c);
}

void Shard::lookup(std::int32_t index, const Lookup& work) {
  const std::span<const std::int32_t> rows = lookup_ids(index);
  const ParameterData& table = *work.table.data();
  const std::size_t columns = table.columns();
  const bool surrogate = work.of_users && !plan_->graph().settings().training;
  float* dst = value(index).data();
  check_ids(rows, table);
  for (std::size_t e = 0; e < rows.size(); ++e, dst += columns) {
    if (surrogate && rows[e] == 0)
      table.copy_mean_row(dst);
    else
      std::copy_n(table.values.data() + static_cast<std::size_t>(rows[e]) * columns, columns, dst);
  }
}

void Shard::row_scores(std::int32_t index, const RowScores& work) {
  const Node& node = plan_->graph().node(index);
  const std::span<const std::int32_t> items = ids(node.operands[1].ids.node(), index);
  const ParameterData& table = *work.table.data();
  check_ids(items, table);
  const std::size_t columns = table.columns(), n = plan_->slot(index).size;
  const float* query = value(node.operands[0].var.node()).data();
  float* scores = value(index).data();
  for (std::size_t r = 0; r < rows_of(index); ++r)
    kernels::dot_rows(n, columns, query + r * columns, table.values.data(), items.data() + r * n,
                      scores + r * n);
}

void Shard::row_scores_backward(std::int32_t index, const RowScores& work) {
  const Node& node = plan_->graph().node(index);
  const std::span<const std::int32_t> items = ids(node.operands[1].ids.node(), index);
  clear_inputs(node);
  const std::span<float> diff_query = diff(node.operands[0].var.node());
  if (diff_query.empty()) return;
  const ParameterData& table = *work.table.data();
  const std::size_t columns = table.columns(), n = plan_->slot(index).size;
  const float* diff_scores = diff(index).data();
  for (std::size_t r = 0; r < rows_of(index); ++r)
    kernels::axpy_rows(n, columns, diff_scores + r * n, table.values.data(), items.data() + r * n,
                       diff_query.data() + r * columns);
}

void Shard::clear_diffs(std::span<const std::int32_t> seeded, bool all_dense) {
  std::ranges::fill(fresh_, 1);
  for (std::int32_t node = 0; node < plan_->n_nodes(); ++node)
    if (plan_->slot(node).output) clear_if_fresh(node);
  for (const std::int32_t node : seeded) clear_if_fresh(node);
  for (const Plan::Dense& dense : plan_->dense())
    if (all_dense || !supplied(dense.only_user))
      std::fill_n(dense_diff(dense.offset), dense.parameter.data()->values.size(), 0.0F);
}

void Shard::backward(std::span<float> passing, const RunContext* run,
                     const std::function<void(std::int32_t)>& look) {
  passing_ = passing;
  const std::unique_ptr<std::span<float>, void (*)(std::span<float>*)> forget(
      &passing_, [](std::span<float>* own) { *own = {}; });
  for (std::int32_t node = plan_->n_nodes() - 1; node >= 0; --node) {
    if (!plan_->slot(node).used || !plan_->slot(node).gradient || left_out(node)) continue;
    if (run != nullptr) run->check_stop();
    clear_if_fresh(node);  // No op gave it any.
    if (look) look(node);
    if (computed(node)) guarded(plan_->graph().node(node), [&] { backward(node); });
  }
}

bool Shard::take_fresh(std::int32_t node) {
  return std::exchange(fresh_[static_cast<std::size_t>(plan_->viewed(node))], 0) != 0;
}

void Shard::clear_if_fresh(std::int32_t node) {
  if (take_fresh(node)) std::ranges::fill(diff(node), 0.0F);
}

void Shard::clear_inputs(const Node& node) {
  for (const Operand& operand : node.operands)
    if (operand.var) clear_if_fresh(operand.var.node());
}

void Shard::backward(std::int32_t index) {
  const Node& node = plan_->graph().node(index);
  const auto* scores = std::get_if<RowScores>(&node.work);
  const Op* op = node.op();
  if (op == nullptr && scores == nullptr) return;
  trace_step({"backward", traced_name(node), &node, rows_of(index)});
  if (scores != nullptr) return row_scores_backward(index, *scores);
  const auto* shaped = dynamic_cast<const ShapedOp*>(op);
  if (shaped == nullptr || takes_shared(node)) clear_inputs(node);
  if (takes_shared(node)) return give_last(index);
  gather_operands(index);
  gather_diffs(node);
  OpBackward c;
  static_cast<OpContext&>(c) = context(index);
  c.output = value(index);
  c.output_gradient = diff(index);
  c.input_gradients = input_diffs_;
  c.saved = saved(index);
  shaped != nullptr ? shaped->backward_into(c, fresh_inputs_) : op->backward(c);
}

void Shard::gather_operands(std::int32_t index) {
  inputs_.clear();
  op_ids_.clear();
  for (const Operand& operand : plan_->graph().node(index).operands) {
    if (operand.var) inputs_.push_back(value(operand.var.node()));
    if (operand.parameter) inputs_.push_back(operand.parameter.values());
    if (operand.ids) op_ids_.push_back(ids(operand.ids.node(), index));
  }
}

void Shard::gather_diffs(const Node& node) {
  input_diffs_.clear();
  fresh_inputs_.clear();
  for (const Operand& operand : node.operands) {
    if (operand.var) {
      input_diffs_.push_back(diff(operand.var.node()));
      fresh_inputs_.push_back(take_fresh(operand.var.node()) ? 1 : 0);
    }
    if (!operand.parameter) continue;
    fresh_inputs_.push_back(0);
    const Plan::Dense* dense = plan_->find_dense(operand.parameter.data());
    input_diffs_.push_back(dense ? std::span<float>(dense_diff_.data() + dense->offset,
                                                    operand.parameter.data()->values.size())
                                 : std::span<float>());
  }
}

OpContext Shard::context(std::int32_t index) const {
  OpContext c;
  c.rows = rows_of(index);
  c.inputs = inputs_;
  c.ids = op_ids_;
  c.row_ids = {plan_->slot(index).shared ? leader_ids_.data() : row_ids_.data(), c.rows};
  c.training = plan_->graph().settings().training;
  if (c.training) c.key = Rng(keys_.seed).fork(plan_->graph().node(index).name, keys_.epoch).key();
  return c;
}

}  // namespace recloom::nn
