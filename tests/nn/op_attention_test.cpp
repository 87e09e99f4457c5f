#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "nn/op_check.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

constexpr std::size_t kWide = 4;  ///< Columns of queries, keys and values: two heads of two.

/// x W^T, [L, 4].
Values projected(const NaiveRow& n, const std::string& weight) {
  const Values x = n.x();
  Values y(kLength * kWide, 0.0);
  for (std::size_t t = 0; t < kLength; ++t)
    for (std::size_t e = 0; e < kWide; ++e)
      for (std::size_t i = 0; i < kSize; ++i)
        y[t * kWide + e] += n.p(weight)[e * kSize + i] * x[t * kSize + i];
  return y;
}

/// The formula, pair by pair.
Values naive_attention(const NaiveRow& n, std::size_t heads, bool causal, bool masks_keys) {
  const Values q = projected(n, "q"), k = projected(n, "k"), v = projected(n, "v");
  const std::size_t size = kWide / heads;
  Values output(kLength * kWide, 0.0);
  for (std::size_t h = 0; h < heads; ++h)
    for (std::size_t t = 0; t < kLength; ++t) {
      Values weights(kLength, 0.0);
      double sum = 0;
      for (std::size_t s = 0; s < kLength; ++s) {
        if ((causal && s > t) || (masks_keys && n.history()[s] == 0)) continue;
        double score = 0;
        for (std::size_t e = h * size; e < (h + 1) * size; ++e)
          score += q[t * kWide + e] * k[s * kWide + e];
        sum += weights[s] = std::exp(score / std::sqrt(static_cast<double>(size)));
      }
      for (std::size_t s = 0; s < kLength && sum > 0; ++s)
        for (std::size_t e = h * size; e < (h + 1) * size; ++e)
          output[t * kWide + e] += weights[s] / sum * v[s * kWide + e];
    }
  return output;
}

Mask mask_of(const Recorder& r, bool causal, bool masks_keys) {
  return {.keys = masks_keys ? r.in.history().ids() : Ids(), .causal = causal};
}

TEST(Attention, GivesTheFormulaAndItsGradients) {
  for (const int heads : {1, 2, 4})
    for (const bool causal : {false, true})
      for (const bool masks_keys : {false, true})
        check({std::to_string(heads) + " heads" + (causal ? ", causal" : "") +
                   (masks_keys ? ", keys masked" : ""),
               {{"q", {4, kSize}}, {"k", {4, kSize}}, {"v", {4, kSize}}},
               [=](const Recorder& r) {
                 return attention(linear(r.x(), r.p("q")), linear(r.x(), r.p("k")),
                                  linear(r.x(), r.p("v")), heads, mask_of(r, causal, masks_keys),
                                  0);
               },
               [=](const NaiveRow& n) {
                 return naive_attention(n, static_cast<std::size_t>(heads), causal, masks_keys);
               }});
}

/// A network of one encoder over histories of L.
struct Encoder {
  ToyNetwork network;
  Embedding items;
  TransformerEncoder layers;

  Encoder(const Catalogue& catalogue, const TransformerOptions& options, bool causal)
      : network(catalogue),
        items(network.at("items"), catalogue.n_items, 8, normal(0.5)),
        layers(network.at("encoder"), 8, options) {
    network.parameters().initialise(3);
    network.head = {.tables = {items.weight}};
    network.on_forward = [this, causal](const Inputs& in) {
      const History history = in.history();
      return history.last(layers(items(history.ids()), {.keys = history.ids(), .causal = causal}));
    };
  }
  TrainStep step(const Batch& rows, int shard_rows) {
    StepOptions options;
    options.batch_size = static_cast<int>(rows.size());
    options.shard_rows = shard_rows;
    return TrainStep(network, options);
  }
};

std::vector<float> gradients(Encoder& model, const Batch& rows, int shard_rows, int threads) {
  TrainStep step = model.step(rows, shard_rows);
  RunContext run(1, threads);
  step.compute_gradients(rows, {}, run);
  std::vector<float> all;
  for (std::size_t p = 0; p < model.network.parameters().size(); ++p) {
    const auto gradient = step.gradient(model.network.parameters()[p].name());
    all.insert(all.end(), gradient.begin(), gradient.end());
  }
  return all;
}

TEST(Transformer, HasTheSameBitsForAnyThreads) {
  const Catalogue catalogue{4, 30, 12};
  Encoder model(catalogue, {.inner = 16}, true);
  const ToyRows rows = random_rows(catalogue, 90);
  const std::vector<float> expected = gradients(model, rows.batch(), 16, 1);
  for (const int threads : {2, 4})
    EXPECT_EQ(gradients(model, rows.batch(), 16, threads), expected) << threads;
}

TEST(Transformer, GradientsAreTheSlopesOfItsLoss) {
  const Catalogue catalogue{4, 9, 5};
  for (const bool norm_first : {false, true}) {
    Encoder model(
        catalogue,
        {.layers = 2, .inner = 6, .epsilon = 1e-5, .norm_first = norm_first, .init = normal(0.3)},
        norm_first);
    const ToyRows rows = random_rows(catalogue, 7);
    StepOptions options;
    options.batch_size = 7;
    check_differences(model.network, options, rows.batch());
  }
}

TEST(Transformer, IsNamedAsRecBoles) {
  const Encoder model({4, 9, 5}, {.layers = 2, .inner = 6}, true);
  EXPECT_EQ(model.network.parameters().size(), 1U + 2 * 16);
  for (const char* name : {"multi_head_attention.query.weight", "multi_head_attention.key.bias",
                           "multi_head_attention.value.weight", "multi_head_attention.dense.weight",
                           "multi_head_attention.LayerNorm.weight", "feed_forward.dense_1.bias",
                           "feed_forward.dense_2.weight", "feed_forward.LayerNorm.bias"})
    EXPECT_TRUE(model.network.parameters().find(std::string("encoder.layer.1.") + name)) << name;
  EXPECT_THROW(Encoder({4, 9, 5}, {.heads = 3}, true), ConfigError);
}

TEST(Transformer, LooksAheadUnlessItIsCausal) {
  const Encoder causal({4, 9, 5}, {}, true), both({4, 9, 5}, {}, false);
  EXPECT_EQ(obstacle_to_sharing(causal.network, {}), "");
  EXPECT_EQ(obstacle_to_sharing(both.network, {}),
            "op 'attention' may look at any position, not at the past alone");
}

TEST(Attention, DropsWeightsByRowAndEpoch) {
  const Catalogue catalogue{4, 9, 6};
  ToyNetwork network(catalogue);
  const Embedding items(network.at("items"), catalogue.n_items, 2, ones());
  network.parameters().initialise(1);
  const ToyRows rows = random_rows(catalogue, 400);
  const auto of = [&](const Batch& batch, bool training) {
    return run_forward(
        network, batch,
        [&](const Inputs& in) {
          const Var x = items(in.history().ids());
          return attention(x, x, x, 1, {.causal = true}, 0.25);
        },
        training);
  };
  // All items are the same, so an output is the sum of the weights that are kept, over 0.75.
  const std::vector<float> all = of(rows.batch(), true);
  double sum = 0;
  for (const float value : all) sum += value;
  EXPECT_NEAR(sum / static_cast<double>(all.size()), 1, 0.02);
  EXPECT_GT(std::count(all.begin(), all.end(), 0.0F), 100);  // nothing is kept
  // A row's draws are its own.
  const std::vector<float> some = of(rows.batch().rows(100, 30), true);
  EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin() + 100 * 12));
  for (const float value : of(rows.batch(), false)) ASSERT_NEAR(value, 1, 1e-6);
}

TEST(Attention, ShapesThatDoNotFitAreRefused) {
  ToyNetwork network({kUsers, kItems, kLength});
  const Parameter wide = network.parameter("wide", {4, kSize}, zeros());
  network.parameter("items", {kItems, kSize}, zeros());
  network.parameter("users", {kUsers, kSize}, zeros());
  const ToyRows rows = case_rows(0);
  const auto refused = [&](const char* text, const std::function<Var(const Recorder&)>& build) {
    try {
      run_forward(network, rows.batch(), [&](const Inputs& in) { return build({network, in}); });
      ADD_FAILURE() << "no error, expected: " << text;
    } catch (const ModelError& e) {
      EXPECT_STREQ(e.what(), text);
    }
  };
  refused("attention: 2 heads do not divide size 3",
          [](const Recorder& r) { return attention(r.x(), r.x(), r.x(), 2, {}, 0); });
  refused("attention: dropout probability 1 is not in [0, 1)",
          [](const Recorder& r) { return attention(r.x(), r.x(), r.x(), 1, {}, 1); });
  refused(
      "attention: query [4, 3], key [4, 4] and value [4, 3] are not all [time, size]",
      [&](const Recorder& r) { return attention(r.x(), linear(r.x(), wide), r.x(), 1, {}, 0); });
  refused("attention: keys [4, 3] do not fit the ids [2] of the mask", [](const Recorder& r) {
    const Ids two = r.in.derive("two", 2, [](const Derivation&, auto) {});
    return attention(r.x(), r.x(), r.x(), 1, {.keys = two}, 0);
  });
  refused("attention: query [1, 3], key [4, 3] and value [4, 3] are not all [time, size]",
          [](const Recorder& r) {
            const Ids one = r.in.derive("one", 1, [](const Derivation&, auto) {});
            return attention(select(r.x(), one), r.x(), r.x(), 1, {.causal = true}, 0);
          });
}

}  // namespace
}  // namespace recloom::nn
