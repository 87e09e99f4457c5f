#include "nn/step/diagnose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/vector.hpp"

namespace recloom::nn {
namespace {

bool finite(std::span<const float> x) { return kernels::all_finite(x.size(), x.data()); }

std::string describe(std::string_view what, const Plan& plan, NodeId node,
                     std::span<const float> values) {
  const auto bad =
      std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  const std::size_t row = static_cast<std::size_t>(bad - values.begin()) / count(plan.shape(node));
  return fmt::format("{} '{}' {} holds {} in row {} of its shard", what,
                     plan.graph().node(node).name, to_text(plan.shape(node)), *bad, row);
}

/// Operations of the graph in order, each shard's forward pass run again.
std::string first_bad_value(const Plan& plan, std::span<const std::unique_ptr<Shard>> shards,
                            std::span<const NodeId> heads) {
  for (const NodeId node : plan.nodes()) {
    const Node& recorded = plan.graph().node(node);
    if (!plan.slot(node).used || recorded.integer()) continue;
    const bool head = std::find(heads.begin(), heads.end(), node) != heads.end();
    for (const auto& shard : shards) {
      if (!head) shard->forward(node);
      if (!finite(shard->value(node)))
        return describe(head ? "loss" : "op", shard->plan(), node, shard->value(node));
    }
  }
  return "";
}

using Look = std::function<void(NodeId)>;
using Backward = std::function<void(std::size_t, const Look&)>;

/// Of the gradients that are not finite, the one that the backward pass completes first.
std::string first_bad_gradient(std::span<const std::unique_ptr<Shard>> shards,
                               const Backward& backward) {
  NodeId first;
  std::string text;
  for (std::size_t s = 0; s < shards.size(); ++s)
    backward(s, [&](NodeId node) {
      Shard& shard = *shards[s];
      if (node <= first || shard.left_out(node) || finite(shard.diff(node))) return;
      first = node;
      text = describe("gradient of op", shard.plan(), node, shard.diff(node));
    });
  return text;
}

}  // namespace

std::string first_not_finite(const Plan& plan, std::span<const std::unique_ptr<Shard>> shards,
                             const Gradients& gradients, std::span<const NodeId> heads,
                             const Backward& backward) {
  for (const Gradients::Target& target : gradients.targets())
    if (!finite(target.parameter->values))
      return fmt::format("parameter '{}' is not finite", target.parameter->name);
  if (std::string found = first_bad_value(plan, shards, heads); !found.empty()) return found;
  if (std::string found = first_bad_gradient(shards, backward); !found.empty()) return found;
  for (const Gradients::Target& target : gradients.targets())
    if (!finite({target.diff.data(), target.diff.size()}))
      return fmt::format("gradient of parameter '{}' is not finite", target.parameter->name);
  return "the norm of all gradients overflows";
}

}  // namespace recloom::nn
