// Loads a model by name, trains it, says how well it ranks, recommends.
//   recommend [DATA [MODEL]]      default: online-retail markov
#include <iostream>
#include <string>
#include <vector>

#include "recloom/recloom.hpp"

int main(int argc, char** argv) try {
  recloom::ConfigRequest request;
  request.data = argc > 1 ? argv[1] : "online-retail";
  request.model = argc > 2 ? argv[2] : "markov";

  const recloom::PluginRegistry plugins;
  const recloom::RunConfig config = recloom::resolve_config(request, plugins);
  recloom::RunContext run(config.seed);
  const recloom::Dataset data = recloom::open_dataset(config, run);

  auto recommender = recloom::Recommender::create(config, data, plugins);
  recommender.train(data, run);
  const auto report = recommender.evaluate(data, recloom::Part::test, config.eval, run);
  std::cout << "ndcg@10 " << report.result.values.at("ndcg@10") << "\n";

  // One file holds all that scoring needs.
  recommender.save("model.safetensors");
  const auto served = recloom::Recommender::load("model.safetensors", plugins);
  const std::vector<std::string> items = served.vocabulary().items();
  const std::vector<recloom::QueryHistory> histories = {
      {.user = "", .items = {items[1], items[2]}}};
  for (const auto& list : served.recommend(histories, {.k = 5}, run))
    for (const auto& item : list.items)
      std::cout << item.item << "  " << item.score << "  " << item.name << "\n";
} catch (const recloom::Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
