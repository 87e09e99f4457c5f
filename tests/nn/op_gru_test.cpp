#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "nn/op_check.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// Row g of a matrix times x.
double product(const Values& matrix, std::size_t g, const double* x, std::size_t columns) {
  double sum = 0;
  for (std::size_t e = 0; e < columns; ++e) sum += matrix[g * columns + e] * x[e];
  return sum;
}

/// PyTorch's formula, step by step: x [L, in] -> [L, hidden].
Values naive_gru(const NaiveRow& row, const std::string& layer, const Values& x, std::size_t in,
                 std::size_t hidden, bool bias) {
  const auto& w_ih = row.p("w_ih" + layer);
  const auto& w_hh = row.p("w_hh" + layer);
  const Values zeros(3 * hidden, 0.0);
  const Values& b_ih = bias ? row.p("b_ih" + layer) : zeros;
  const Values& b_hh = bias ? row.p("b_hh" + layer) : zeros;
  Values h(hidden, 0.0), y;
  for (std::size_t t = 0; t < x.size() / in; ++t) {
    Values next(hidden);
    for (std::size_t e = 0; e < hidden; ++e) {
      const auto of_x = [&](std::size_t gate) {
        return product(w_ih, gate * hidden + e, x.data() + t * in, in) + b_ih[gate * hidden + e];
      };
      const auto of_h = [&](std::size_t gate) {
        return product(w_hh, gate * hidden + e, h.data(), hidden) + b_hh[gate * hidden + e];
      };
      const double r = sigmoid(of_x(0) + of_h(0)), z = sigmoid(of_x(1) + of_h(1));
      const double n = std::tanh(of_x(2) + r * of_h(2));
      next[e] = (1 - z) * n + z * h[e];
    }
    h = next;
    y.insert(y.end(), h.begin(), h.end());
  }
  return y;
}

std::vector<ParameterSpec> layer_specs(const std::string& layer, int in, int hidden, bool bias) {
  std::vector<ParameterSpec> specs{{"w_ih" + layer, {3 * hidden, in}},
                                   {"w_hh" + layer, {3 * hidden, hidden}}};
  if (bias) {
    specs.push_back({"b_ih" + layer, {3 * hidden}});
    specs.push_back({"b_hh" + layer, {3 * hidden}});
  }
  return specs;
}

Var record(const Recorder& r, const std::string& layer, Var x, bool bias) {
  if (!bias) return gru(x, r.p("w_ih" + layer), r.p("w_hh" + layer));
  return gru(x, r.p("w_ih" + layer), r.p("w_hh" + layer), r.p("b_ih" + layer), r.p("b_hh" + layer));
}

TEST(Gru, GivesPyTorchsFormulaAndItsGradients) {
  // Sizes below, beside and above those of vectors.
  for (const int hidden : {1, 5, 17})
    for (const bool bias : {false, true})
      check({"gru of " + std::to_string(hidden) + (bias ? " with bias" : ""),
             layer_specs("", kSize, hidden, bias),
             [=](const Recorder& r) { return record(r, "", r.x(), bias); },
             [=](const NaiveRow& n) {
               return naive_gru(n, "", n.x(), kSize, static_cast<std::size_t>(hidden), bias);
             }});
}

TEST(Gru, PassesGradientsThroughLayersFromTheLastItem) {
  std::vector<ParameterSpec> specs = layer_specs("0", kSize, 8, true);
  for (const ParameterSpec& spec : layer_specs("1", 8, 4, true)) specs.push_back(spec);
  check({"two layers", specs,
         [](const Recorder& r) {
           const Var h = record(r, "1", record(r, "0", r.x(), true), true);
           return r.in.history().last(h);
         },
         [](const NaiveRow& n) {
           const Values h = naive_gru(n, "1", naive_gru(n, "0", n.x(), kSize, 8, true), 8, 4, true);
           const std::size_t items = std::min<std::size_t>(n.row.history.size(), kLength);
           const auto last =
               h.begin() + static_cast<std::ptrdiff_t>(4 * (std::max<std::size_t>(items, 1) - 1));
           return Values(last, last + 4);
         }});
}

/// A layer from 6 to 10 columns over histories of L, its last state scored against the items.
struct Recurrent {
  ToyNetwork network;
  Embedding items;
  Gru layers;

  Recurrent(const Catalogue& catalogue, const GruOptions& options)
      : network(catalogue),
        items(network.at("items"), catalogue.n_items, 6, normal(0.5)),
        layers(network.at("gru"), 6, 6, options) {
    network.parameters().initialise(3);
    network.head = {.tables = {items.weight}};
    network.on_forward = [this](const Inputs& in) {
      return in.history().last(layers(items(in.history().ids())));
    };
  }
};

std::vector<float> gradients(Recurrent& model, const Batch& rows, int shard_rows, int threads) {
  StepOptions options;
  options.batch_size = static_cast<int>(rows.size());
  options.shard_rows = shard_rows;
  TrainStep step(model.network, options);
  RunContext run(1, threads);
  step.compute_gradients(rows, {}, run);
  std::vector<float> all;
  for (std::size_t p = 0; p < model.network.parameters().size(); ++p) {
    const auto gradient = step.gradient(model.network.parameters()[p].name());
    all.insert(all.end(), gradient.begin(), gradient.end());
  }
  return all;
}

TEST(Gru, IsTheSameInBlocksOfAnySize) {
  // More rows than a block, and more steps than meet in one product for the weights.
  const Catalogue catalogue{4, 30, 12};
  Recurrent model(catalogue, {.layers = 2});
  const ToyRows rows = random_rows(catalogue, 130);
  const std::vector<float> expected = gradients(model, rows.batch(), 1, 1);
  for (const int shard_rows : {48, 53, 130}) {
    const std::vector<float> got = gradients(model, rows.batch(), shard_rows, 1);
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t e = 0; e < got.size(); ++e)
      ASSERT_NEAR(got[e], expected[e], 1e-6) << shard_rows << " " << e;
    for (const int threads : {2, 4})
      EXPECT_EQ(gradients(model, rows.batch(), shard_rows, threads), got) << shard_rows;
  }
}

TEST(Gru, StateOfARowDoesNotDependOnTheRowsBesideIt) {
  for (const int length : {1, 7}) {
    const Catalogue catalogue{4, 30, length};
    Recurrent model(catalogue, {});
    const ToyRows rows = random_rows(catalogue, 60);
    const auto all = run_forward(model.network, rows.batch(), model.network.on_forward);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const auto alone =
          run_forward(model.network, rows.batch().rows(r, 1), model.network.on_forward);
      const auto at = all.begin() + static_cast<std::ptrdiff_t>(6 * r);
      EXPECT_EQ(alone, std::vector<float>(at, at + 6)) << "L " << length << " row " << r;
    }
  }
}

TEST(Gru, IsNamedShapedAndStartedAsPyTorchs) {
  Recurrent model({4, 30, 3}, {.layers = 2, .first_layer = uniform(0.01)});
  const auto largest = [&](const std::string& name) {
    const Parameter p = model.network.parameters().find("gru." + name);
    EXPECT_TRUE(p) << name;
    float most = 0;
    for (const float value : p.values()) most = std::max(most, std::abs(value));
    return most;
  };
  for (const char* name : {"weight_ih_l0", "weight_hh_l0"}) {
    EXPECT_LE(largest(name), 0.01F);
    EXPECT_GT(largest(name), 0.008F);
  }
  for (const char* name :
       {"weight_ih_l1", "weight_hh_l1", "bias_ih_l0", "bias_hh_l0", "bias_ih_l1", "bias_hh_l1"}) {
    EXPECT_LE(largest(name), 0.4083F);  // 1 / sqrt(6)
    EXPECT_GT(largest(name), 0.3F);
  }
  EXPECT_EQ(model.network.parameters().size(), 9U);
  const Recurrent plain({4, 30, 3}, {.bias = false});
  EXPECT_EQ(plain.network.parameters().size(), 3U);
}

TEST(Gru, ShapesThatDoNotFitAreRefused) {
  ToyNetwork network({kUsers, kItems, kLength});
  const auto parameter = [&](const char* name, Shape shape) {
    return network.parameter(name, shape, zeros());
  };
  parameter("items", {kItems, kSize});
  const Parameter ih = parameter("ih", {6, kSize}), hh = parameter("hh", {6, 2}),
                  bias = parameter("bias", {6}), wrong = parameter("wrong", {6, 4}),
                  short_bias = parameter("short", {5});
  parameter("users", {kUsers, kSize});
  const ToyRows rows = case_rows(0);
  const auto refused = [&](const char* text, const std::function<Var(const Recorder&)>& build) {
    try {
      run_forward(network, rows.batch(), [&](const Inputs& in) { return build({network, in}); });
      ADD_FAILURE() << "no error, expected: " << text;
    } catch (const ModelError& e) {
      EXPECT_STREQ(e.what(), text);
    }
  };
  refused("gru: shape [3] is not [time, size]",
          [&](const Recorder& r) { return gru(r.v(), ih, hh); });
  refused("gru: weight_hh [6, 3] is not [3 hidden, hidden]",
          [&](const Recorder& r) { return gru(r.x(), ih, ih); });
  refused("gru: input [4, 3] and weight_hh [6, 2] do not fit weight_ih [6, 4]",
          [&](const Recorder& r) { return gru(r.x(), wrong, hh); });
  refused("gru: bias [5] does not fit weight_hh [6, 2]",
          [&](const Recorder& r) { return gru(r.x(), ih, hh, bias, short_bias); });
  refused("gru: one bias is given, both or none are wanted",
          [&](const Recorder& r) { return gru(r.x(), ih, hh, bias); });
}

}  // namespace
}  // namespace recloom::nn
