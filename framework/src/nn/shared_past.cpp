// What rows of a shard share of their histories; see causality.hpp.
#include <algorithm>

#include "kernels/vector.hpp"
#include "nn/parameter_data.hpp"
#include "nn/plan.hpp"

namespace recloom::nn {

bool extends_row_before(const Batch& rows, std::size_t row) {
  if (row == 0) return false;
  const Batch::Entry &before = rows.entries()[row - 1], &own = rows.entries()[row];
  return own.begin == before.begin && before.history_length > 0 &&
         own.history_length == before.history_length + 1 && own.history_length <= rows.max_length();
}

void Shard::find_leaders(const Batch& rows) {
  leaders_.clear();
  leader_ids_.clear();
  leader_of_row_.clear();
  for (std::size_t r = 0; r < rows_; ++r) {
    leader_of_row_.push_back(static_cast<std::uint32_t>(leaders_.size()));
    if (r + 1 < rows_ && extends_row_before(rows, r + 1)) continue;
    leaders_.push_back(r);
    leader_ids_.push_back(row_ids_[r]);
  }
  for (std::int32_t node = 0; node < plan_->n_nodes(); ++node) {
    const Plan::Slot& slot = plan_->slot(node);
    if (!slot.shared || !plan_->graph().node(node).integer()) continue;
    std::int32_t* to = ids_.data() + slot.shared_value * capacity_;
    for (const std::size_t leader : leaders_)
      to = std::copy_n(ids_.data() + slot.value * capacity_ + leader * slot.size, slot.size, to);
  }
}

bool Shard::takes_shared(const Node& node) const {
  return plan_->graph().takes_last(node) && plan_->slot(node.operands[0].var.node()).shared;
}

/// Where a row's vector lies in the values of all leaders.
std::size_t Shard::last_place(const Node& node, std::size_t row) const {
  const Plan::Slot& source = plan_->slot(node.operands[0].var.node());
  const auto position = static_cast<std::size_t>(ids(node.operands[1].ids.node())[row]);
  return leader_of_row_[row] * source.size + position * count(node.shape);
}

void Shard::take_last(std::int32_t index) {
  const Node& node = plan_->graph().node(index);
  const std::size_t n = plan_->slot(index).size;
  const float* from = value(node.operands[0].var.node()).data();
  float* to = value(index).data();
  for (std::size_t r = 0; r < rows_; ++r) std::copy_n(from + last_place(node, r), n, to + r * n);
}

void Shard::give_last(std::int32_t index) {
  const Node& node = plan_->graph().node(index);
  const std::size_t n = plan_->slot(index).size;
  const float* from = diff(index).data();
  const std::span<float> to = diff(node.operands[0].var.node());
  if (to.empty()) return;
  for (std::size_t r = 0; r < rows_; ++r)
    kernels::add(n, from + r * n, to.data() + last_place(node, r));
}

}  // namespace recloom::nn
