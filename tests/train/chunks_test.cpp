// Chunks are the same rows in another order: loss and gradients must agree.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "nn/step/train_step.hpp"
#include "nn/toy_network.hpp"
#include "recloom/plugin/registry.hpp"
#include "train/row_feed.hpp"

namespace recloom {
namespace {

constexpr int kUsers = 24, kEvents = 13, kItems = 40;

/// Every training row of users who return to some items.
struct Log {
  std::vector<ItemId> events;
  std::vector<Batch::Entry> entries;
  Log() {
    Rng rng = Rng(3).fork("log");
    for (UserId user = 1; user <= kUsers; ++user) {
      const auto begin = static_cast<std::int64_t>(events.size());
      for (std::int32_t event = 0; event < kEvents; ++event) {
        events.push_back(static_cast<ItemId>(1 + rng.below(user % 3 == 0 ? 4 : kItems - 1)));
        if (event > 0) entries.push_back({begin, event, 1, user});
      }
    }
  }
};

class AnyItem final : public NegativeSampler {
 public:
  void prepare(const SamplerContext&) override {}
  void sample(const Row&, Rng rng, std::span<ItemId> negatives) const override {
    for (ItemId& item : negatives) item = static_cast<ItemId>(1 + rng.below(kItems - 1));
  }
};

/// Loss and gradients of one batch with all rows, as a feed puts it together.
std::vector<float> results(NetworkRecommender& model, const Log& log, const FeedOptions& options,
                           const std::string& loss) {
  const AnyItem sampler;
  RunContext run(1, 2);
  RowFeed feed({log.events, log.entries, model.max_length()}, options,
               loss == "CE" ? nullptr : &sampler);
  feed.begin_epoch(1, run);
  nn::StepOptions step_options;
  step_options.loss = loss;
  step_options.batch_size = options.batch_size;
  step_options.shard_rows = 50;
  nn::TrainStep step(model, step_options);
  const nn::StepResult result = step.compute_gradients(feed.batch(0, run), {7, 1, 1}, run);
  std::vector<float> all{static_cast<float>(result.loss), static_cast<float>(result.penalty)};
  for (std::size_t p = 0; p < model.parameters().size(); ++p) {
    const auto gradient = step.gradient(model.parameters()[p].name());
    all.insert(all.end(), gradient.begin(), gradient.end());
  }
  return all;
}

void expect_chunks_to_agree(NetworkRecommender& model, const std::string& loss) {
  const Log log;
  const std::vector<float> rows = results(model, log, {.batch_size = 1000}, loss);
  for (const int run_rows : {1, 5, 100}) {
    const std::vector<float> chunks = results(
        model, log, {.batch_size = 1000, .batching = Batching::chunks, .run_rows = run_rows}, loss);
    ASSERT_EQ(chunks.size(), rows.size());
    float largest = 0;
    for (const float value : rows) largest = std::max(largest, std::abs(value));
    EXPECT_GT(largest, 1e-3F);
    for (std::size_t e = 0; e < rows.size(); ++e)
      ASSERT_NEAR(chunks[e], rows[e], 1e-5) << "chunks of " << run_rows << ", number " << e;
  }
}

TEST(Chunks, GiveTheLossAndGradientsOfRowsForCaser) {
  for (const char* padding : {"right", "left"})
    for (const int length : {1, 2, 5, 9, 20})
      for (const char* loss : {"CE", "BPR"}) {
        SCOPED_TRACE(std::string(padding) + " " + std::to_string(length) + " " + loss);
        const Model model = PluginRegistry().create(
            "caser", {{"padding", std::string(padding)}, {"dropout_prob", 0.4}},
            {kUsers + 1, kItems, length});
        auto& network = dynamic_cast<NetworkRecommender&>(*model);
        network.parameters().initialise(1);
        expect_chunks_to_agree(network, loss);
      }
}

TEST(Chunks, GiveTheLossAndGradientsOfRowsForAnyNetwork) {
  for (const int length : {1, 4, 20}) {
    SCOPED_TRACE(length);
    nn::ToyNetwork network({kUsers + 1, kItems, length});
    const nn::Embedding items(network.at("items"), kItems, 8, nn::normal(0.3)),
        users(network.at("users"), kUsers + 1, 8, nn::normal(0.3));
    const nn::TimeMix mix(network.at("mix"), length, 2);
    const nn::Linear out(network.at("out"), 24, 8);
    network.head = {.tables = {items.weight}};
    network.on_forward = [&](const nn::Inputs& in) {
      const nn::Var x = dropout(items(in.history().ids()), 0.2);
      return out(concat(flatten(mix(x)), max_over_time(x) + users(in.user())));
    };
    network.parameters().initialise(1);
    for (const char* loss : {"CE", "BCE"}) expect_chunks_to_agree(network, loss);
  }
}

}  // namespace
}  // namespace recloom
