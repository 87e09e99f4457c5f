// A network as it was recorded, for its author.
#include <fmt/format.h>

#include "host/network_of.hpp"
#include "nn/graph/graph_dump.hpp"
#include "nn/step/train_step.hpp"
#include "plugin/failure.hpp"
#include "recloom/authoring.hpp"
#include "train/step_options.hpp"

namespace recloom {
const NetworkRecommender& network_of(const Recommender& recommender) {
  const auto* network = dynamic_cast<const NetworkRecommender*>(&recommender.model());
  if (network == nullptr)
    throw ModelError(
        fmt::format("model {} is no network: it has no graph", recommender.plugin().name));
  return *network;
}

std::string dump_graph(const Recommender& recommender, Recording recording, GraphFormat format) {
  const NetworkRecommender& network = network_of(recommender);
  const bool training = recording == Recording::training;
  return naming(recommender.plugin(), [&] {
    nn::Graph graph(training ? nn::graph_settings(network, step_options(recommender.config().train))
                             : nn::GraphSettings{.catalogue = network.catalogue()});
    const nn::Inputs inputs(&graph);
    if (training)
      network.calculate_loss(inputs);
    else
      network.forward(inputs);
    return format == GraphFormat::dot ? nn::graph_dot(graph) : nn::graph_text(graph);
  });
}

ModelFacts model_facts(const PluginRegistry& plugins, const std::string& name) {
  constexpr Catalogue kSmall{.n_users = 3, .n_items = 5, .max_length = 4};
  const Model model = plugins.create(name, {}, kSmall);
  ModelFacts facts;
  facts.traits = model->traits();
  const auto* network = dynamic_cast<const NetworkRecommender*>(&*model);
  facts.is_network = network != nullptr;
  if (network == nullptr) return facts;
  naming(model.plugin(), [&] {
    facts.obstacle_to_sequences = nn::obstacle_to_sharing(*network, {});
    facts.obstacle_to_fewer_positions = nn::obstacle_to_fewer_positions(*network, {});
  });
  return facts;
}

}  // namespace recloom
