// The caser plugin beyond the golden numbers: its switches, start values and what it learns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "nn/op_check.hpp"
#include "nn/step/train_step.hpp"
#include "nn/toy_network.hpp"
#include "recloom/core/error.hpp"
#include "recloom/plugin/registry.hpp"

namespace recloom::nn {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

constexpr Catalogue kCatalogue{6, 15, 4};

struct Caser {
  explicit Caser(const Params& params, const Catalogue& catalogue = kCatalogue)
      : model(PluginRegistry().create("caser", params, catalogue)),
        network(dynamic_cast<NetworkRecommender&>(*model)) {
    network.parameters().initialise(1);
  }
  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (std::size_t p = 0; p < network.parameters().size(); ++p)
      result.emplace_back(network.parameters()[p].name());
    return result;
  }
  Parameter p(std::string_view name) const { return network.parameters().find(name); }
  std::vector<float> scores(const Batch& rows) const {
    std::vector<float> all(rows.size() * network.n_items());
    network.full_sort_predict(rows, {all, network.n_items()});
    return all;
  }
  Model model;
  NetworkRecommender& network;
};

Params small(std::initializer_list<std::pair<const std::string, Value>> more = {}) {
  Params params{{"embedding_size", std::int64_t{3}},
                {"nv", std::int64_t{2}},
                {"nh", std::int64_t{2}},
                {"dropout_prob", 0.0},
                {"reg_weight", 0.01}};
  params.merge(Params(more));
  return params;
}
const std::int64_t kNone = 0;

TEST(Caser, BranchesCanBeLeftOut) {
  const ToyRows rows = random_rows(kCatalogue, 10);
  const Caser horizontal(small({{"nv", kNone}})), vertical(small({{"nh", kNone}}));
  EXPECT_FALSE(horizontal.p("conv_v.weight"));
  EXPECT_TRUE(horizontal.p("conv_h.3.weight"));
  EXPECT_EQ(horizontal.p("fc1.weight").shape().last(), 2 * 4);  // nh L
  EXPECT_TRUE(vertical.p("conv_v.weight"));
  EXPECT_FALSE(vertical.p("conv_h.0.weight"));
  EXPECT_EQ(vertical.p("fc1.weight").shape().last(), 2 * 3);  // nv d
  for (const Caser* c : {&horizontal, &vertical})
    for (const float score : c->scores(rows.batch())) EXPECT_TRUE(std::isfinite(score));
}

TEST(Caser, NoPartAtAllIsRefused) {
  try {
    Caser(small({{"nv", kNone}, {"nh", kNone}, {"user", false}}));
    FAIL() << "no error";
  } catch (const ConfigError& e) {
    EXPECT_THAT(e.what(), AllOf(HasSubstr("nv"), HasSubstr("nh"), HasSubstr("user")));
  }
}

TEST(Caser, UserVectorsAloneAreMatrixFactorization) {
  const Caser c(small({{"nv", kNone}, {"nh", kNone}, {"output", std::string("untied")}}));
  EXPECT_THAT(c.names(), ElementsAreArray({"user_embedding.weight", "item_embedding.weight",
                                           "output_embedding.weight", "output_bias"}));
  fill_all(c.network, -1, 1);
  ToyRows rows(kCatalogue.max_length);
  rows.add(1, {1, 2, 3}, 4);
  rows.add(1, {7}, 4);
  const std::vector<float> scores = c.scores(rows.batch());
  for (std::size_t i = 0; i < 15; ++i) {
    double score = c.p("output_bias").values()[i];
    for (std::size_t k = 0; k < 3; ++k)
      score += c.p("user_embedding.weight").values()[3 + k] *
               c.p("output_embedding.weight").values()[3 * i + k];
    EXPECT_NEAR(scores[i], score, 1e-5);
    EXPECT_EQ(scores[15 + i], scores[i]) << "histories do not matter";
  }
}

TEST(Caser, HeightsAreASubset) {
  const Caser c(small({{"heights", std::vector<std::int64_t>{4, 2, 2}}}));
  EXPECT_FALSE(c.p("conv_h.0.weight"));
  EXPECT_EQ(count(c.p("conv_h.1.weight").shape()), 2 * 2 * 3U);
  EXPECT_FALSE(c.p("conv_h.2.weight"));
  EXPECT_EQ(count(c.p("conv_h.3.weight").shape()), 2 * 4 * 3U);
  EXPECT_EQ(c.p("fc1.weight").shape().last(), 2 * 3 + 2 * 2);  // nv d + nh heights
  try {
    Caser(small({{"heights", std::vector<std::int64_t>{5}}}));
    FAIL() << "no error";
  } catch (const ConfigError& e) {
    EXPECT_THAT(e.what(), AllOf(HasSubstr("heights"), HasSubstr("5"), HasSubstr("max_length")));
  }
}

TEST(Caser, BoundsOfOptions) {
  const std::pair<const char*, Value> illegal[] = {{"embedding_size", std::int64_t{0}},
                                                   {"nv", std::int64_t{-1}},
                                                   {"nh", std::int64_t{-1}},
                                                   {"dropout_prob", 1.0},
                                                   {"dropout_prob", -0.1},
                                                   {"reg_weight", -1e-9},
                                                   {"padding", std::string("middle")},
                                                   {"output", std::string("both")},
                                                   {"output_relu", std::int64_t{1}},
                                                   {"n_h", std::int64_t{1}}};
  for (const auto& [name, value] : illegal) try {
      Params params;
      params.set(name, value);
      PluginRegistry().create("caser", params, kCatalogue);
      ADD_FAILURE() << "no error for " << name;
    } catch (const ConfigError& e) {
      EXPECT_THAT(e.what(), HasSubstr(std::string("model.params.") + name));
    }
}

TEST(Caser, RefusesMoreFiltersThanFitInMemory) {
  try {
    PluginRegistry().create("caser", {}, {11, 23, 100000});
    FAIL() << "no error";
  } catch (const ConfigError& e) {
    EXPECT_THAT(e.what(), HasSubstr("data.max_length"));
  }
}

TEST(Caser, UntiedOutputHasATableAndABiasOfItsOwn) {
  const Caser c(small({{"output", std::string("untied")}}));
  EXPECT_THAT(c.names(),
              ElementsAreArray({"user_embedding.weight", "item_embedding.weight", "conv_v.weight",
                                "conv_v.bias", "conv_h.0.weight", "conv_h.0.bias",
                                "conv_h.1.weight", "conv_h.1.bias", "conv_h.2.weight",
                                "conv_h.2.bias", "conv_h.3.weight", "conv_h.3.bias", "fc1.weight",
                                "fc1.bias", "output_embedding.weight", "output_bias"}));
  EXPECT_EQ(c.p("output_embedding.weight").shape().last(), 2 * 3);
  EXPECT_EQ(c.network.factorised()->query_size(), 2 * 3);
}

/// A point away from kinks: filters with positive weights over items that differ in every column,
/// so that the winning window is clear, fc1 far from its ReLU, scores around 1.
void move_away_from_kinks(NetworkRecommender& network) {
  for (std::size_t p = 0; p < network.parameters().size(); ++p) {
    const Parameter parameter = network.parameters()[p];
    const std::string_view name = parameter.name();
    fill(parameter, 0.3, 1);
    std::vector<float> values(parameter.values().begin(), parameter.values().end());
    for (std::size_t e = 0; e < values.size(); ++e) {
      if (name == "item_embedding.weight")
        values[e] = static_cast<float>(0.2 * ((e / 3 * 4) % 15) - 1 + 0.01 * (e % 3));
      if (name == "fc1.bias") values[e] = 20;
      if (name == "fc2.weight" || name == "output_embedding.weight")
        values[e] *= e % 2 ? -0.02F : 0.02F;
    }
    parameter.assign(values);
  }
}

TEST(Caser, GradientsAgreeWithDifferences) {
  ToyRows rows(kCatalogue.max_length);
  rows.add(1, {3, 5}, 2, {4});
  rows.add(2, {1, 2, 3, 4}, 7, {5});
  rows.add(3, {}, 4, {1});
  for (const char* output : {"tied", "untied"})
    for (const char* loss : {"CE", "BPR"}) {
      SCOPED_TRACE(std::string(output) + " " + loss);
      const Caser c(small({{"output", std::string(output)}, {"output_relu", false}}));
      move_away_from_kinks(c.network);
      StepOptions options;
      options.loss = loss;
      options.batch_size = 3;
      options.shard_rows = 2;
      // Row 0 of the item table: trained by softmax and norm, not by lookups (as in RecBole).
      check_differences(c.network, options, rows.batch(), {{"item_embedding.weight", 3}});
    }
}

/// Every switch, and what the gradients of row 0 of a table that is not trained by lookups are.
TEST(Caser, GradientsOfEveryFormAgreeWithDifferences) {
  const Value yes = std::string("yes"), no = std::string("no"), untied = std::string("untied");
  const Params forms[] = {
      {{"user", false}},
      {{"user", false}, {"output_layer", no}},
      {{"output_layer", no}},
      {{"output", untied}, {"output_layer", yes}},
      {{"output", untied}, {"user", false}},
      {{"nv", kNone}, {"nh", kNone}},
      {{"nv", kNone}, {"nh", kNone}, {"output", untied}},
      {{"conv_activation", std::string("tanh")}, {"fc1_activation", std::string("sigmoid")}},
      {{"conv_activation", std::string("identity")}, {"fc1_activation", std::string("identity")}},
      {{"heights", std::vector<std::int64_t>{1, 3}}, {"padding", std::string("left")}}};
  ToyRows rows(kCatalogue.max_length);
  rows.add(1, {3, 5}, 2, {4});
  rows.add(2, {1, 2, 3, 4}, 7, {5});
  rows.add(3, {}, 4, {1});
  for (const Params& form : forms) {
    std::string text;
    for (const auto& [key, value] : form.values())
      text += key + " = " + recloom::to_text(value) + " ";
    SCOPED_TRACE(text);
    Params params = small({{"output_relu", false}, {"padding_row", std::string("trained")}});
    params.merge(form);
    const Caser c(params);
    move_away_from_kinks(c.network);
    // Near enough to 0 that the slopes of sigmoid and tanh are seen.
    if (const Parameter bias = c.p("fc1.bias")) bias.assign(std::vector<float>(3, 2));
    StepOptions options;
    options.loss = "BCE";
    options.batch_size = 3;
    options.shard_rows = 2;
    check_differences(c.network, options, rows.batch());
  }
}

TEST(Caser, LossFallsWithUntiedOutput) {
  Caser c(small({{"output", std::string("untied")}, {"dropout_prob", 0.2}}));
  const ToyRows rows = random_rows(kCatalogue, 64);
  StepOptions options;
  options.batch_size = 64;
  TrainStep step(c.network, options);
  RunContext run(1, 1);
  double first = 0, last = 0;
  for (std::int64_t s = 0; s < 80; ++s) {
    last = step.run(rows.batch(), {1, 1, s}, 0.02, run).loss;
    if (s == 0) first = last;
  }
  EXPECT_NEAR(first, std::log(15.0), 0.1);  // knows nothing yet
  EXPECT_LT(last, 0.7 * first);
}

TEST(Caser, PaddingSideMattersForShortHistoriesOnly) {
  const Caser left(small({{"padding", std::string("left")}})),
      right(small({{"padding", std::string("right")}}));
  for (const Caser* c : {&left, &right}) fill_all(c->network, -1, 1);
  ToyRows full(kCatalogue.max_length), few(kCatalogue.max_length);
  full.add(1, {1, 2, 3, 4}, 5);
  full.add(2, {9, 9, 8, 7, 6, 5}, 5);
  few.add(1, {1, 2}, 5);
  EXPECT_EQ(left.scores(full.batch()), right.scores(full.batch()));
  EXPECT_NE(left.scores(few.batch()), right.scores(few.batch()));
}

TEST(Caser, StartValues) {
  constexpr Catalogue large{2000, 3000, 5};
  const Caser c({{"embedding_size", std::int64_t{20}},
                 {"nv", std::int64_t{40}},
                 {"nh", std::int64_t{50}},
                 {"output", std::string("untied")}},
                large);
  const auto deviation = [&](const char* name) {
    double squares = 0;
    const auto values = c.p(name).values();
    for (const float v : values) squares += static_cast<double>(v) * v;
    return std::sqrt(squares / static_cast<double>(values.size()));
  };
  const auto bound = [&](const std::string& name) {
    double largest = 0;
    for (const float v : c.p(name).values()) largest = std::max<double>(largest, std::abs(v));
    return largest;
  };
  EXPECT_NEAR(deviation("user_embedding.weight"), 0.05, 0.05 * 0.02);  // 1 / d
  EXPECT_NEAR(deviation("item_embedding.weight"), 0.05, 0.05 * 0.02);
  EXPECT_NEAR(deviation("output_embedding.weight"), 0.025, 0.025 * 0.02);  // 1 / 2d
  EXPECT_EQ(bound("output_bias"), 0);
  for (int h = 1; h <= 5; ++h) {
    const double limit = 1 / std::sqrt(20.0 * h);
    const std::string name = "conv_h." + std::to_string(h - 1);
    EXPECT_LE(bound(name + ".weight"), limit);
    EXPECT_GT(bound(name + ".weight"), 0.97 * limit);
    EXPECT_LE(bound(name + ".bias"), limit);
    EXPECT_GT(bound(name + ".bias"), 0.8 * limit);
  }
  EXPECT_LE(bound("conv_v.weight"), 1 / std::sqrt(5.0));
  EXPECT_GT(bound("conv_v.weight"), 0.97 / std::sqrt(5.0));
  // xavier_normal of fc1 [20, 40 20 + 50 5]
  EXPECT_NEAR(deviation("fc1.weight"), std::sqrt(2.0 / (20 + 1050)), 0.02 * 0.0432);
  EXPECT_EQ(bound("fc1.bias"), 0);
}

/// The loss, the gradient of every parameter, and all scores, with dropout.
std::vector<std::vector<float>> step_of(Caser& c, Convolution way, const Batch& rows, int threads) {
  c.network.set_convolution(way);
  StepOptions options;
  options.batch_size = static_cast<int>(rows.size());
  options.shard_rows = 256;
  TrainStep step(c.network, options);
  RunContext run(1, threads);
  std::vector<std::vector<float>> all{
      {static_cast<float>(step.compute_gradients(rows, {1, 1, 0}, run).loss)}};
  for (const std::string& name : c.names()) {
    const auto gradient = step.gradient(name);
    all.emplace_back(gradient.begin(), gradient.end());
  }
  all.push_back(c.scores(rows));
  return all;
}

TEST(Caser, ConvolvesTheSameInEveryWay) {
  for (const int length : {3, 5, 10, 20})
    for (const std::int64_t nh : {4, 8, 16}) {
      SCOPED_TRACE(::testing::Message() << "L " << length << " nh " << nh);
      const Catalogue catalogue{40, 300, length};
      Caser c({{"embedding_size", std::int64_t{10}}, {"nh", nh}, {"dropout_prob", 0.3}}, catalogue);
      const ToyRows rows = random_rows(catalogue, 300);  // a shard and a part of one
      const auto expected = step_of(c, Convolution::automatic, rows.batch(), 1);
      for (const Convolution way : {Convolution::dnnl, Convolution::windows, Convolution::taps}) {
        const auto got = step_of(c, way, rows.batch(), 1);
        EXPECT_EQ(step_of(c, way, rows.batch(), 4), got) << static_cast<int>(way);
        for (std::size_t p = 0; p < expected.size(); ++p)
          for (std::size_t e = 0; e < expected[p].size(); ++e)
            ASSERT_NEAR(got[p][e], expected[p][e], 1e-6 * (1 + std::abs(expected[p][e])))
                << static_cast<int>(way) << " " << p;
      }
    }
}

TEST(Caser, LearnsAPlantedPattern) {
  // Item b = a + 1 always follows a, for a in 1..7; what stands before a is random.
  constexpr Catalogue catalogue{3, 16, 5};
  Caser c({{"embedding_size", std::int64_t{16}}, {"dropout_prob", 0.1}}, catalogue);
  ToyRows rows(catalogue.max_length);
  Rng rng = Rng(4).fork("planted");
  for (int r = 0; r < 256; ++r) {
    std::vector<ItemId> history;
    for (int t = 0; t < r % 5; ++t) history.push_back(static_cast<ItemId>(9 + rng.below(7)));
    history.push_back(static_cast<ItemId>(1 + r % 7));
    rows.add(static_cast<UserId>(1 + r % 2), history, static_cast<ItemId>(history.back() + 1));
  }
  StepOptions options;
  options.batch_size = 256;
  TrainStep step(c.network, options);
  RunContext run(1, 2);
  for (std::int64_t s = 0; s < 250; ++s)
    step.run(rows.batch(), {1, static_cast<std::uint64_t>(s), s}, 0.01, run);
  const std::vector<float> scores = c.scores(rows.batch());
  int right = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const auto begin = scores.begin() + static_cast<std::ptrdiff_t>(r * 16);
    right += std::max_element(begin + 1, begin + 16) - begin == rows.batch()[r].targets[0];
  }
  EXPECT_GE(right, 250);  // of 256
}

}  // namespace
}  // namespace recloom::nn
