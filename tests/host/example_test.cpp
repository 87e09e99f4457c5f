// The facade as its user meets it: from a log to recommendations in one page.
#include <gtest/gtest.h>

#include "host/toy_log.hpp"
#include "recloom/recloom.hpp"
#include "support/support.hpp"

TEST(Example, FromALogToRecommendations) {
  const recloom::testing::TemporaryFolder folder;
  const std::string log = folder.write("shop.inter", recloom::testing::toy_log());

  const recloom::PluginRegistry plugins;
  const recloom::RunConfig config = recloom::resolve_config(
      {.data = log, .model = "markov", .settings = {{"example", "model.params.smoothing=0.5"}}},
      plugins);
  recloom::RunContext run(config.seed);
  const recloom::Dataset data = recloom::open_dataset(config, run);

  auto model = recloom::Recommender::create(config, data, plugins);
  model.train(data, run);
  const auto report = model.evaluate(data, recloom::Part::test, config.eval, run);
  EXPECT_EQ(report.result.values.at("ndcg@10"), 1.0);
  model.save(folder.file("shop.safetensors"));

  const auto served = recloom::Recommender::load(folder.file("shop.safetensors"), plugins);
  const std::vector<recloom::QueryHistory> baskets = {{"", {"i2", "i3"}}};
  const auto lists = served.recommend(baskets, {.k = 3}, run);
  EXPECT_EQ(lists.front().items.front().item, "i4");
}
