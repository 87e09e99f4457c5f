#include "nn/passes/recording.hpp"

#include "nn/passes/last_position.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {

Recording::Recording(const Catalogue& catalogue, const Forward& forward, Convolution convolution)
    : graph({.catalogue = catalogue, .convolution = convolution}), query(forward(Inputs(&graph))) {
  if (!query) throw ModelError("forward() returned an empty Var");
  finish(false);
}

Recording::Recording(const GraphSettings& settings, const CalculateLoss& calculate_loss,
                     bool share_past)
    : graph(settings), loss(calculate_loss(Inputs(&graph))) {
  finish(share_past);
}

void Recording::finish(bool share_past) {
  outputs = wanted();
  causality = find_causality(graph, used_nodes(graph, outputs), outputs);
  if (share_past && !causality.obstacle.empty()) throw ModelError(causality.obstacle);
  if (!share_past) {
    move(compute_at_last(graph, outputs));
    outputs = wanted();
  }
  plan = std::make_unique<Plan>(graph,
                                PlanSettings{.outputs = outputs,
                                             .backward = graph.settings().training,
                                             .shared = share_past ? &causality.shared : nullptr});
}

std::vector<NodeId> Recording::wanted() const {
  if (query) return {query.node()};
  std::vector<NodeId> nodes;
  for (const LossTerm& term : loss.terms())
    if (term.value) nodes.push_back(term.value.node());
  if (nodes.empty()) throw ModelError("calculate_loss: no term depends on the rows");
  return nodes;
}

/// @param places where nodes are now.
void Recording::move(const ByNode<NodeId>& places) {
  const auto moved = [&](Var x) { return x ? Var(&graph, places[x.node()]) : x; };
  query = moved(query);
  Loss result;
  for (LossTerm term : loss.terms()) {
    term.value = moved(term.value);
    result += Loss(term);
  }
  loss = result;
}

}  // namespace recloom::nn
