#include "nn/passes/shorter_plans.hpp"

#include <fmt/format.h>

#include <exception>
#include <new>
#include <utility>

#include "nn/ops/history.hpp"
#include "nn/ops/over_items.hpp"

namespace recloom::nn {
namespace {

// Lengths are multiples of L / 8: finer steps would save little more.
constexpr int kSteps = 8;

std::string obstacle_of(const Recording& full) {
  const Graph& graph = full.graph;
  if (!graph.history_node || !graph.last_position_node)
    return "nothing is taken at the last item of a history";
  if (graph.padding != Padding::right) return "histories are padded left";
  for (const NodeId id : graph.ids())
    if (full.plan->slot(id).used && is_over_items(graph.node(id)))
      return fmt::format(
          "op '{}' may be computed for a whole batch, of whose shards all have one plan",
          graph.node(id).name);
  return full.causality.obstacle;
}

/// Two plans of one graph, node by node.
class Comparison {
 public:
  Comparison(const Plan& full, const Plan& shorter)
      : full_(full), shorter_(shorter), graph_(full.graph()) {}

  /// The first node that is not what the full plan's is on fewer positions: what depends on how
  /// many pads there are, or an author's op whose shape holds a length of its own. "": none is.
  std::string first_misfit() const {
    for (const NodeId id : full_.nodes()) {
      if (!full_.slot(id).used) continue;
      const bool follows = shape_follows(id), output = full_.slot(id).output && differ(id);
      if (follows && !output && !counts_pads(id)) continue;
      return fmt::format("op '{}' gives {} for {} positions and {} for {}{}", graph_.node(id).name,
                         to_text(full_.shape(id)), full_.length(), to_text(shorter_.shape(id)),
                         shorter_.length(),
                         follows ? ", and may depend on how many there are" : "");
    }
    return "";
  }

 private:
  bool differ(NodeId id) const { return full_.shape(id) != shorter_.shape(id); }
  /// Whether a shape is that of the full plan, or of fewer positions.
  bool shape_follows(NodeId id) const {
    Shape expected = full_.shape(id);
    if (differ(id) && expected.rank > 0 && expected.extent[0] == full_.length())
      expected.extent[0] = shorter_.length();
    return shorter_.shape(id) == expected &&
           shorter_.slot(id).saved_size <= full_.slot(id).saved_size;
  }
  /// Whether a node takes fewer positions than there are into something else than positions.
  bool counts_pads(NodeId id) const {
    const Node& node = graph_.node(id);
    if (node.op() == nullptr || graph_.looks_at_last(node) || ignores_pads(*node.op()))
      return false;
    for (std::size_t o = 0; o < node.operands.size(); ++o) {
      const NodeId source = node.operands[o].node();
      if (!source || !differ(source)) continue;
      if (node.op()->reach(o, full_.operand_shapes(id)) == Reach::unknown) return true;
      if (!node.at_last && !differ(id)) return true;
    }
    return false;
  }

  const Plan &full_, &shorter_;
  const Graph& graph_;
};

}  // namespace

ShorterPlans::ShorterPlans(const Recording& full)
    : full_(*full.plan), obstacle_(obstacle_of(full)) {
  int before = 0;
  for (int step = 1; step < kSteps && obstacle_.empty(); ++step) {
    const int length = (full_.length() * step + kSteps - 1) / kSteps;
    if (length <= std::exchange(before, length) || length >= full_.length()) continue;
    obstacle_ = add(full, length);
  }
  if (!obstacle_.empty()) plans_.clear();
}

/// @return what is in the way.
std::string ShorterPlans::add(const Recording& full, int length) {
  try {
    plans_.push_back(std::make_unique<Plan>(
        full.graph, PlanSettings{.outputs = full.outputs,
                                 .backward = full.graph.settings().training,
                                 .shared = full_.shares_past() ? &full.causality.shared : nullptr,
                                 .length = length}));
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {  // an op that is made for L and no other length
    return error.what();
  } catch (...) {
    return fmt::format("an op threw something that is no std::exception for {} positions", length);
  }
  return Comparison(full_, *plans_.back()).first_misfit();
}

const Plan& ShorterPlans::plan_for(int n_items) const {
  for (const auto& plan : plans_)
    if (plan->length() >= n_items) return *plan;
  return full_;
}

}  // namespace recloom::nn
