#include "nn/shorter_plans.hpp"

#include <algorithm>
#include <utility>

#include "nn/ops_internal.hpp"
#include "nn/parameter_data.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

// Lengths are multiples of L / 8: finer steps would save little more.
constexpr int kSteps = 8;

bool is_right_padded(const Graph& graph) {
  return graph.history_node >= 0 && graph.last_position_node >= 0 &&
         graph.history_side == static_cast<int>(Padding::right);
}

bool same(const Operand& a, const Operand& b) {
  return static_cast<bool>(a.var) == static_cast<bool>(b.var) && a.var.node() == b.var.node() &&
         static_cast<bool>(a.ids) == static_cast<bool>(b.ids) && a.ids.node() == b.ids.node() &&
         a.parameter.data() == b.parameter.data();
}

/// Whether a node's size, or that of anything it reads, depends on L.
bool knows_length(const Node& a, const Node& b) {
  const auto differ = [](const Shape& x, const Shape& y) { return to_text(x) != to_text(y); };
  bool knows = differ(a.shape, b.shape);
  for (std::size_t o = 0; o < a.operands.size(); ++o) {
    if (a.operands[o].var) knows |= differ(a.operands[o].var.shape(), b.operands[o].var.shape());
    if (a.operands[o].ids) knows |= differ(a.operands[o].ids.shape(), b.operands[o].ids.shape());
  }
  return knows;
}

bool same_op(const Op* a, const Op* b) {
  const auto* x = dynamic_cast<const ShapedOp*>(a);
  const auto* y = dynamic_cast<const ShapedOp*>(b);
  return x != nullptr && y != nullptr && x->name() == y->name() && x->constants() == y->constants();
}

bool same(const Node& a, const Node& b) {
  return a.name == b.name && a.work.index() == b.work.index() && a.shape.rank == b.shape.rank &&
         a.blocks_gradient == b.blocks_gradient &&
         std::ranges::equal(a.operands, b.operands,
                            [](const Operand& x, const Operand& y) { return same(x, y); }) &&
         (a.op() == nullptr || !knows_length(a, b) || same_op(a.op(), b.op()));
}

bool same(const Graph& a, const Graph& b) {
  return a.history_node == b.history_node && a.last_position_node == b.last_position_node &&
         a.user_node == b.user_node && a.history_side == b.history_side &&
         std::ranges::equal(a.nodes(), b.nodes(),
                            [](const Node& x, const Node& y) { return same(x, y); });
}

bool same(const Loss& a, const Loss& b) {
  return std::ranges::equal(a.terms(), b.terms(), [](const LossTerm& x, const LossTerm& y) {
    return x.kind == y.kind && x.factor == y.factor && x.value.node() == y.value.node() &&
           x.parameter.data() == y.parameter.data();
  });
}

/// What does not depend on L is one thing for all: an op may count, or hold a number made of L.
void take_what_is_common(const Graph& full, Graph& shorter) {
  for (std::size_t node = 0; node < full.nodes().size(); ++node) {
    Node& own = shorter.node(static_cast<std::int32_t>(node));
    if (!knows_length(full.nodes()[node], own)) own.work = full.nodes()[node].work;
  }
}

int seen_items(const Batch& rows, std::size_t row) {
  return std::min(rows.entries()[row].history_length, rows.max_length());
}

}  // namespace

ShorterPlans::ShorterPlans(const Recording& full,
                           const std::function<std::unique_ptr<Recording>(int)>& record)
    : full_(*full.plan) {
  if (!is_right_padded(full.graph) || !full.causality.obstacle.empty()) return;
  const int longest = full.graph.settings().catalogue.max_length;
  int before = 0;
  for (int step = 1; step < kSteps; ++step) {
    const int length = (longest * step + kSteps - 1) / kSteps;
    if (length <= std::exchange(before, length) || length >= longest) continue;
    std::unique_ptr<Recording> made;
    try {
      made = record(length);
    } catch (const Error&) {  // a network that is made for L and no other length
    }
    if (made == nullptr || !same(full.graph, made->graph) || !same(full.loss, made->loss) ||
        full.query.node() != made->query.node() ||
        made->causality.shared != full.causality.shared) {
      recordings_.clear();
      return;
    }
    take_what_is_common(full.graph, made->graph);
    recordings_.push_back(std::move(made));
  }
}

const Plan& ShorterPlans::plan_for(const Batch& rows) const {
  int items = 0;
  for (std::size_t row = 0; row < rows.size(); ++row)
    items = std::max(items, seen_items(rows, row));
  for (const auto& recording : recordings_)
    if (recording->graph.settings().catalogue.max_length >= items) return *recording->plan;
  return full_;
}

Batch LengthOrder::sort(const Batch& rows, bool keep_together) {
  const auto longest = static_cast<std::size_t>(rows.max_length());
  groups_.clear();
  begins_.assign(longest + 2, 0);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const int length = seen_items(rows, row);
    if (keep_together && extends_row_before(rows, row))
      groups_.back() = {groups_.back().first, groups_.back().count + 1, length};
    else
      groups_.push_back({row, 1, length});
  }
  // A counting sort, so that rows of one length keep their order.
  const auto place = [&](const Group& group) {
    return longest - static_cast<std::size_t>(group.length);
  };
  for (const Group& group : groups_) begins_[place(group) + 1] += group.count;
  for (std::size_t at = 1; at < begins_.size(); ++at) begins_[at] += begins_[at - 1];
  order_.resize(rows.size());
  for (const Group& group : groups_)
    for (std::size_t row = 0; row < group.count; ++row)
      order_[begins_[place(group)]++] = group.first + row;
  entries_.clear();
  negatives_.clear();
  for (const std::size_t row : order_) {
    entries_.push_back(rows.entries()[row]);
    const auto negatives = rows[row].negatives;
    negatives_.insert(negatives_.end(), negatives.begin(), negatives.end());
  }
  return {rows.tape(), entries_, rows.max_length(), negatives_};
}

}  // namespace recloom::nn
