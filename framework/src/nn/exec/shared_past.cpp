// What rows of a shard share of their histories; see causality.hpp.
#include <algorithm>

#include "kernels/vector.hpp"
#include "nn/exec/row_order.hpp"
#include "nn/exec/shard.hpp"

namespace recloom::nn {

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
  for (const NodeId node : plan_->nodes()) {
    const Plan::Slot& slot = plan_->slot(node);
    if (!slot.shared || !plan_->graph().node(node).integer()) continue;
    std::int32_t* to = ids_.data() + slot.shared_value * capacity_;
    for (const std::size_t leader : leaders_)
      to = std::copy_n(ids_.data() + slot.value * capacity_ + leader * slot.size, slot.size, to);
  }
}

bool Shard::gathers_shared(const Node& node) const {
  return plan_->graph().gathers_last(node) && plan_->slot(node.operands[0].node()).shared;
}

/// Where a row's vector lies in the values of all leaders.
std::size_t Shard::last_place(const Node& node, std::size_t row) const {
  const Plan::Slot& source = plan_->slot(node.operands[0].node());
  const auto position = static_cast<std::size_t>(ids(node.operands[1].node())[row]);
  return leader_of_row_[row] * source.size + position * static_cast<std::size_t>(node.shape.last());
}

void Shard::gather_last(NodeId id) {
  const Node& node = plan_->graph().node(id);
  const std::size_t n = plan_->slot(id).size;
  const float* from = value(node.operands[0].node()).data();
  float* to = value(id).data();
  for (std::size_t r = 0; r < rows_; ++r) std::copy_n(from + last_place(node, r), n, to + r * n);
}

void Shard::scatter_last(NodeId id) {
  const Node& node = plan_->graph().node(id);
  const std::size_t n = plan_->slot(id).size;
  const float* from = diff(id).data();
  const std::span<float> to = diff(node.operands[0].node());
  if (to.empty()) return;
  for (std::size_t r = 0; r < rows_; ++r)
    kernels::add(n, from + r * n, to.data() + last_place(node, r));
}

}  // namespace recloom::nn
