// Checks fpmc against numbers worked out by hand, then runs recloom's conformance suite.
// Usage: fpmc_test recloom-fpmc.so
#include <array>
#include <iostream>
#include <string_view>
#include <vector>

#include "recloom/nn/network_recommender.hpp"
#include "recloom/recloom.hpp"
#include "recloom/testing/conformance.hpp"

namespace {

using namespace recloom;

void assign(NetworkRecommender& model, std::string_view name, const std::vector<float>& values) {
  model.parameters().find(name).assign(values);
}

// One number in each vector. User 1 is worth 2, the last item (2) is worth -1:
// the score of item i is 2 IU[i] - IL[i].
bool scores_are_right(const PluginRegistry& plugins) {
  const Catalogue catalogue{.n_users = 2, .n_items = 4, .max_length = 5};
  const Model model = plugins.create("fpmc", {{"embedding_size", std::int64_t{1}}}, catalogue);
  auto& network = dynamic_cast<NetworkRecommender&>(*model);
  assign(network, "UI_emb.weight", {0, 2});
  assign(network, "IU_emb.weight", {0, 1, 2, 3});
  assign(network, "LI_emb.weight", {0, 5, -1, 5});
  assign(network, "IL_emb.weight", {0, 4, 0, -4});
  const std::vector<ItemId> events = {1, 2};
  const std::vector<Batch::Entry> rows = {
      {.begin = 0, .history_length = 2, .n_targets = 0, .user = 1}};
  std::array<float, 4> scores{};
  model->full_sort_predict(Batch(events, rows, catalogue.max_length), {scores, 4});
  if (scores[1] == -2 && scores[2] == 4 && scores[3] == 10) return true;
  std::cerr << "scores are " << scores[1] << ", " << scores[2] << ", " << scores[3]
            << " instead of -2, 4, 10\n";
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: fpmc_test recloom-fpmc.so\n";
    return 2;
  }
  try {
    const PluginRegistry plugins({argv[1]});
    if (!scores_are_right(plugins)) return 1;
    const testing::ConformanceReport report = testing::check_plugin(plugins, "fpmc");
    std::cout << report.to_text();
    return report.passed() ? 0 : 1;
  } catch (const Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
