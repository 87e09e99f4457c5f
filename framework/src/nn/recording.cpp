#include "nn/recording.hpp"

#include <cstdint>
#include <vector>

#include "nn/last_position.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {

Recording::Recording(const NetworkRecommender& model, const GraphSettings& settings,
                     bool share_past)
    : graph(settings) {
  if (settings.training)
    loss = model.calculate_loss(Inputs(&graph));
  else
    query = model.forward(Inputs(&graph));
  if (!settings.training && !query) throw ModelError("forward() returned an empty Var");
  const std::vector<std::int32_t> written = outputs();
  causality = Plan(graph, written, false).causality(written);
  if (!share_past) move(compute_at_last(graph, written));
  plan = std::make_unique<Plan>(graph, outputs(), settings.training, share_past);
}

std::vector<std::int32_t> Recording::outputs() const {
  if (query) return {query.node()};
  std::vector<std::int32_t> nodes;
  for (const LossTerm& term : loss.terms())
    if (term.value) nodes.push_back(term.value.node());
  if (nodes.empty()) throw ModelError("calculate_loss: no term depends on the rows");
  return nodes;
}

/// @param places where nodes are now.
void Recording::move(const std::vector<std::int32_t>& places) {
  const auto moved = [&](Var x) {
    return x ? Var(&graph, places[static_cast<std::size_t>(x.node())]) : x;
  };
  query = moved(query);
  Loss result;
  for (LossTerm term : loss.terms()) {
    term.value = moved(term.value);
    result += Loss(term);
  }
  loss = result;
}

}  // namespace recloom::nn
