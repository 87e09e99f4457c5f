#include "nn/exec/item_ops.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "nn/exec/item_mix.hpp"
#include "nn/exec/item_taps.hpp"
#include "nn/exec/step_trace.hpp"
#include "nn/ops/time_mix.hpp"

namespace recloom::nn {
namespace {

std::unique_ptr<ItemOp> make_item_op(const Plan& plan, NodeId node) {
  const Op* op = plan.graph().node(node).op();
  if (const auto* conv = dynamic_cast<const ConvMaxOverTime*>(op)) {
    const Convolution way = conv->way();
    if (way == Convolution::dnnl || way == Convolution::windows) return nullptr;
    return std::make_unique<ItemTaps>(plan, node);
  }
  if (dynamic_cast<const TimeMixOp*>(op) != nullptr) return std::make_unique<ItemMix>(plan, node);
  return nullptr;
}

}  // namespace

ItemOps::ItemOps(const Plan& plan) : plan_(plan) {
  if (plan.shares_past()) return;  // its shards differ in size
  for (const NodeId node : plan.nodes()) {
    const auto* work = std::get_if<Lookup>(&plan.graph().node(node).work);
    if (work != nullptr && plan.slot(node).used && plan.shape(node).rank == 2)
      add_source(plan, node);
  }
}

void ItemOps::add_source(const Plan& plan, NodeId lookup) {
  bool others = plan.slot(lookup).output;
  std::vector<std::unique_ptr<ItemOp>> ops;
  for (const NodeId node : plan.nodes()) {
    const auto& operands = plan.graph().node(node).operands;
    const auto reads = [&](const Operand& o) { return o.var && o.node() == lookup; };
    if (!plan.slot(node).used || std::ranges::none_of(operands, reads)) continue;
    if (auto op = make_item_op(plan, node))
      ops.push_back(std::move(op));
    else
      others = true;
  }
  if (!ops.empty())
    sources_.push_back({lookup, others, BatchItems(plan, lookup), std::move(ops), {}});
}

namespace {
std::size_t rows_of(Shards shards) {
  std::size_t rows = 0;
  for (const auto& shard : shards) rows += shard->rows();
  return rows;
}
}  // namespace

void ItemOps::forward(Shards shards, const RunContext& context) {
  const std::size_t rows = rows_of(shards);
  for (Source& source : sources_) {
    trace_step("items of the batch");
    source.items.collect(shards);
    source.ran.clear();
    for (const auto& op : source.ops)
      if (op->worth_while(source.items)) source.ran.push_back(op.get());
    for (ItemOp* op : source.ran) {
      trace_step({"forward", op->name(), &op->plan(), op->node(), rows});
      op->forward(source.items, shards, context);
      for (const auto& shard : shards) shard->supply(op->node());
    }
    if (!source.read_by_others && source.all_ran())
      for (const auto& shard : shards) shard->leave_out(source.lookup);
  }
}

void ItemOps::backward(Shards shards, const RunContext& context) {
  for (const Source& source : sources_)
    for (ItemOp* op : source.ran) {
      if (shards.front()->diff(op->node()).empty()) continue;
      trace_step({"backward", op->name(), &op->plan(), op->node(), rows_of(shards)});
      op->backward(source.items, shards, context);
    }
}

std::vector<NodeId> ItemOps::nodes() const {
  std::vector<NodeId> all;
  for (const Source& source : sources_)
    for (const auto& op : source.ops) all.push_back(op->node());
  return all;
}

std::vector<NodeId> ItemOps::convolutions() const {
  std::vector<NodeId> all;
  for (const NodeId node : plan_.nodes())
    if (plan_.slot(node).used &&
        dynamic_cast<const ConvMaxOverTime*>(plan_.graph().node(node).op()) != nullptr)
      all.push_back(node);
  return all;
}

std::string ItemOps::obstacle_to_taps() const {
  const std::vector<NodeId> by_items = nodes();
  std::vector<std::string> names;
  for (const NodeId node : convolutions())
    if (std::ranges::find(by_items, node) == by_items.end())
      names.push_back(fmt::format("'{}'", plan_.graph().node(node).name));
  if (names.empty()) return "";
  return fmt::format("{} {} not over looked-up histories whose rows are computed apart",
                     fmt::join(names, ", "), names.size() == 1 ? "is" : "are");
}

}  // namespace recloom::nn
