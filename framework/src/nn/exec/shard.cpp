#include "nn/exec/shard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <ranges>
#include <utility>

#include "kernels/vector.hpp"
#include "nn/exec/step_trace.hpp"
#include "nn/graph/parameter_data.hpp"
#include "recloom/core/error.hpp"
#include "recloom/core/random.hpp"

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
  if (reason.empty()) reason = "threw an exception without a text";
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
      roles_(plan.n_nodes()),
      unwritten_(plan.n_nodes()) {
  leaders_.reserve(capacity);
  leader_ids_.reserve(capacity);
  leader_of_row_.reserve(capacity);
}

void Shard::require(Phase least, std::string_view call) const {
  if (phase_ < least) throw InternalError(fmt::format("a shard's {} came too early", call));
}

void Shard::use(const Plan& plan) {
  plan_ = &plan;
  phase_ = Phase::empty;
}

void Shard::load(const Batch& rows, const DrawKeys& keys) {
  phase_ = Phase::empty;
  rows_ = rows.size();
  keys_ = keys;
  roles_.fill(Role::computed);
  const bool training = plan_->graph().settings().training;
  const Rng rng = Rng(keys.seed).fork("derive", keys.epoch);
  for (std::size_t r = 0; r < rows_; ++r) {
    const Row row = rows[r];
    row_ids_[r] = row.id;
    const Derivation derivation{row, rng.fork("row", static_cast<std::uint64_t>(row.id)), training};
    for (const NodeId node : plan_->nodes()) {
      const auto* source = std::get_if<IdsSource>(&plan_->graph().node(node).work);
      const Plan::Slot& slot = plan_->slot(node);
      if (source == nullptr || !slot.used) continue;
      guarded(plan_->graph().node(node), [&] {
        source->fill(derivation, {ids_.data() + slot.value * capacity_ + r * slot.size, slot.size});
      });
    }
  }
  find_leaders(rows);
  phase_ = Phase::loaded;
}

std::span<float> Shard::value(NodeId node) {
  const Plan::Slot& slot = plan_->slot(node);
  return {values_.data() + slot.value * capacity_, slot.size * rows_of(node)};
}
std::span<float> Shard::diff(NodeId node) {
  const Plan::Slot& slot = plan_->slot(node);
  if (!slot.gradient || (slot.transient && transient_.empty())) return {};
  if (slot.transient) return {transient_.data() + slot.diff * rows_, slot.size * rows_of(node)};
  return {diffs_.data() + slot.diff * capacity_, slot.size * rows_of(node)};
}
std::span<float> Shard::saved(NodeId node) {
  const Plan::Slot& slot = plan_->slot(node);
  return {saved_.data() + slot.saved * capacity_, slot.saved_size * rows_of(node)};
}
std::span<const std::int32_t> Shard::ids(NodeId node) const {
  const Plan::Slot& slot = plan_->slot(node);
  return {ids_.data() + slot.value * capacity_, slot.size * rows_};
}
std::span<const std::int32_t> Shard::ids(NodeId node, NodeId user) const {
  if (!plan_->slot(user).shared) return ids(node);
  const Plan::Slot& slot = plan_->slot(node);
  return {ids_.data() + slot.shared_value * capacity_, slot.size * leaders_.size()};
}
std::span<const std::int32_t> Shard::lookup_ids(NodeId node) const {
  return ids(plan_->graph().node(node).operands.back().node(), node);
}

void Shard::forward(const RunContext* run) {
  require(Phase::loaded, "forward()");
  for (const NodeId node : plan_->nodes()) {
    if (!computed(node)) continue;
    if (run != nullptr) run->check_stop();
    guarded(plan_->graph().node(node), [&] { forward(node); });
  }
  phase_ = Phase::computed;
}

void Shard::forward(NodeId id) {
  const Node& node = plan_->graph().node(id);
  const Op* op = node.op();
  const auto* table = std::get_if<Lookup>(&node.work);
  const auto* scores = std::get_if<RowScores>(&node.work);
  if (op == nullptr && table == nullptr && scores == nullptr) return;
  trace_step({"forward", traced_name(node), plan_, id, rows_of(id)});
  if (table != nullptr) return lookup(id, *table);
  if (scores != nullptr) return row_scores(id, *scores);
  if (gathers_shared(node)) return gather_last(id);
  OpForward c;
  static_cast<OpContext&>(c) = context(id);
  c.output = value(id);
  c.saved = saved(id);
  op->forward(c);
}

void Shard::lookup(NodeId id, const Lookup& work) {
  const std::span<const std::int32_t> rows = lookup_ids(id);
  const ParameterData& table = *work.table.data();
  const std::size_t columns = table.columns();
  const bool surrogate = work.of_users && !plan_->graph().settings().training;
  float* dst = value(id).data();
  table.require_rows(rows);
  for (std::size_t e = 0; e < rows.size(); ++e, dst += columns) {
    if (surrogate && rows[e] == 0)
      table.copy_mean_row(dst);
    else
      std::copy_n(table.values.data() + static_cast<std::size_t>(rows[e]) * columns, columns, dst);
  }
}

void Shard::row_scores(NodeId id, const RowScores& work) {
  const Node& node = plan_->graph().node(id);
  const std::span<const std::int32_t> items = ids(node.operands[1].node(), id);
  const ParameterData& table = *work.table.data();
  table.require_rows(items);
  const std::size_t columns = table.columns(), n = plan_->slot(id).size;
  const float* query = value(node.operands[0].node()).data();
  float* scores = value(id).data();
  for (std::size_t r = 0; r < rows_of(id); ++r)
    kernels::dot_rows(n, columns, query + r * columns, table.values.data(), items.data() + r * n,
                      scores + r * n);
}

void Shard::row_scores_backward(NodeId id, const RowScores& work) {
  const Node& node = plan_->graph().node(id);
  const std::span<const std::int32_t> items = ids(node.operands[1].node(), id);
  clear_inputs(node);
  const std::span<float> diff_query = diff(node.operands[0].node());
  if (diff_query.empty()) return;
  const ParameterData& table = *work.table.data();
  const std::size_t columns = table.columns(), n = plan_->slot(id).size;
  const float* diff_scores = diff(id).data();
  for (std::size_t r = 0; r < rows_of(id); ++r)
    kernels::axpy_rows(n, columns, diff_scores + r * n, table.values.data(), items.data() + r * n,
                       diff_query.data() + r * columns);
}

void Shard::clear_diffs(std::span<const NodeId> seeded, bool all_dense) {
  require(Phase::computed, "clear_diffs()");
  unwritten_.fill(true);
  for (const NodeId node : plan_->nodes())
    if (plan_->slot(node).output) clear_at_first_write(node);
  for (const NodeId node : seeded) clear_at_first_write(node);
  for (const Plan::Dense& dense : plan_->dense())
    if (all_dense || !supplied(dense.only_user))
      std::fill_n(dense_diff(dense.offset), dense.parameter.data()->values.size(), 0.0F);
  phase_ = Phase::cleared;
}

void Shard::backward(std::span<float> transient, const RunContext* run,
                     const std::function<void(NodeId)>& look) {
  require(Phase::cleared, "backward()");
  phase_ = Phase::computed;  // Gradients are to be cleared before another one.
  transient_ = transient;
  const std::unique_ptr<std::span<float>, void (*)(std::span<float>*)> forget(
      &transient_, [](std::span<float>* own) { *own = {}; });
  for (const NodeId node : plan_->nodes() | std::views::reverse) {
    if (!plan_->slot(node).used || !plan_->slot(node).gradient || left_out(node)) continue;
    if (plan_->graph().node(node).is_view()) continue;  // Its gradient is that of what it shows.
    if (run != nullptr) run->check_stop();
    clear_at_first_write(node);  // No op gave it any.
    if (look) look(node);
    if (computed(node)) guarded(plan_->graph().node(node), [&] { backward(node); });
  }
}

bool Shard::take_first_write(NodeId node) {
  return std::exchange(unwritten_[plan_->viewed(node)], 0) != 0;
}

void Shard::clear_at_first_write(NodeId node) {
  if (take_first_write(node)) std::ranges::fill(diff(node), 0.0F);
}

void Shard::clear_inputs(const Node& node) {
  for (const Operand& operand : node.operands)
    if (operand.var) clear_at_first_write(operand.node());
}

void Shard::backward(NodeId id) {
  const Node& node = plan_->graph().node(id);
  const auto* scores = std::get_if<RowScores>(&node.work);
  const Op* op = node.op();
  if (op == nullptr && scores == nullptr) return;
  trace_step({"backward", traced_name(node), plan_, id, rows_of(id)});
  if (scores != nullptr) return row_scores_backward(id, *scores);
  if (!op->takes_first_write() || gathers_shared(node)) clear_inputs(node);
  if (gathers_shared(node)) return scatter_last(id);
  op->backward(backward_context(id));
}

OpContext Shard::context(NodeId id) {
  const Node& node = plan_->graph().node(id);
  inputs_.clear();
  op_ids_.clear();
  for (const Operand& operand : node.operands) {
    if (operand.var) inputs_.push_back(value(operand.node()));
    if (operand.parameter) inputs_.push_back(operand.parameter.values());
    if (operand.ids) op_ids_.push_back(ids(operand.node(), id));
  }
  OpContext c;
  c.rows = rows_of(id);
  c.inputs = inputs_;
  c.ids = op_ids_;
  c.shapes = plan_->operand_shapes(id);
  c.output_shape = plan_->shape(id);
  c.row_ids = {plan_->slot(id).shared ? leader_ids_.data() : row_ids_.data(), c.rows};
  if (node.at_last) c.positions = ids(plan_->graph().last_position_node);
  c.training = plan_->graph().settings().training;
  if (c.training) c.key = Rng(keys_.seed).fork(node.name, keys_.epoch).key();
  return c;
}

OpBackward Shard::backward_context(NodeId id) {
  diff_inputs_.clear();
  first_write_.clear();
  for (const Operand& operand : plan_->graph().node(id).operands) {
    if (operand.var) {
      diff_inputs_.push_back(diff(operand.node()));
      first_write_.push_back(take_first_write(operand.node()) ? 1 : 0);
    }
    if (!operand.parameter) continue;
    first_write_.push_back(0);
    const Plan::Dense* dense = plan_->find_dense(operand.parameter.data());
    diff_inputs_.push_back(dense ? std::span<float>(dense_diff_.data() + dense->offset,
                                                    operand.parameter.data()->values.size())
                                 : std::span<float>());
  }
  OpBackward c;
  static_cast<OpContext&>(c) = context(id);
  c.output = value(id);
  c.diff_output = diff(id);
  c.diff_inputs = diff_inputs_;
  c.saved = saved(id);
  c.first_write = first_write_;
  return c;
}

}  // namespace recloom::nn
