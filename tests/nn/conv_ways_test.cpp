// conv_max_over_time is computed in several ways, chosen by counts: they must agree.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "kernels/conv.hpp"
#include "nn/exec/item_ops.hpp"
#include "nn/step/train_step.hpp"
#include "nn/toy_network.hpp"

namespace recloom::nn {
namespace {

constexpr Catalogue kCatalogue{5, 30, 9};
constexpr int kSize = 6, kFilters = 9;  // more than one group of lanes
constexpr std::array kHeights{1, 2, 5, 9};

/// Users' whole sequences as rows. In order, neighbours share all but one item (the first rows are
/// shorter than L); else they have nothing in common.
ToyRows rows_of_users(bool in_order) {
  ToyRows rows(kCatalogue.max_length);
  Rng rng(3);
  for (int user = 1; user < kCatalogue.n_users; ++user) {
    std::vector<ItemId> sequence(30);
    for (ItemId& item : sequence) item = static_cast<ItemId>(1 + rng.below(kCatalogue.n_items - 1));
    std::vector<std::size_t> lengths;
    for (std::size_t n = 1; n + 1 < sequence.size(); ++n) lengths.push_back(n);
    if (!in_order) std::ranges::sort(lengths, {}, [](std::size_t n) { return n * 7919 % 31; });
    for (const std::size_t n : lengths) rows.add(user, std::span(sequence).first(n), sequence[n]);
  }
  return rows;
}

struct Network {
  /// @param looked_up false: an op stands between the item vectors and the convolution, so that
  /// every shard works on its own windows.
  Network(bool looked_up, Padding padding) : network(kCatalogue) {
    const Embedding items(network.at("items"), kCatalogue.n_items, kSize, zeros());
    for (const int h : kHeights) convs.emplace_back(network.at("conv", h), kSize, kFilters, h);
    const Linear out(network.at("out"), kFilters * static_cast<int>(kHeights.size()), kSize);
    fill_all(network, -1, 1);
    network.head = {.tables = {items.weight}};
    network.on_forward = [=, this](const Inputs& in) {
      const Var e = items(in.history(padding).ids());
      const Var x = looked_up ? e : e + 0.0;
      return out(conv_max_over_time(convs, x, Activation::relu).named("maxima"));
    };
  }
  ToyNetwork network;
  std::vector<TimeConv> convs;
};

/// The loss, then the gradient of every parameter.
std::vector<std::vector<float>> gradients(Network& n, const Batch& rows, int shard_rows) {
  StepOptions options;
  options.batch_size = static_cast<int>(rows.size());
  options.shard_rows = shard_rows;
  TrainStep step(n.network, options);
  RunContext run(1, 2);
  std::vector<std::vector<float>> all{
      {static_cast<float>(step.compute_gradients(rows, {}, run).loss)}};
  for (std::size_t p = 0; p < n.network.parameters().size(); ++p) {
    const auto gradient = step.gradient(n.network.parameters()[p].name());
    all.emplace_back(gradient.begin(), gradient.end());
  }
  return all;
}

void expect_near(const std::vector<std::vector<float>>& a,
                 const std::vector<std::vector<float>>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t p = 0; p < a.size(); ++p) {
    ASSERT_EQ(a[p].size(), b[p].size());
    // Sums of the same numbers, of the size of one, in another order.
    for (std::size_t e = 0; e < a[p].size(); ++e) ASSERT_NEAR(a[p][e], b[p][e], 2e-6) << p;
  }
}

class ConvWays : public ::testing::TestWithParam<Padding> {};

TEST_P(ConvWays, WindowsItemTapsAndSharedWindowsGiveTheSameGradients) {
  Network by_window(false, GetParam()), by_taps(true, GetParam());
  const ToyRows runs = rows_of_users(true), single = rows_of_users(false);
  const auto expected = gradients(by_window, single.batch(), 256);
  expect_near(gradients(by_taps, single.batch(), 256), expected);
  expect_near(gradients(by_taps, runs.batch(), 256), expected);
  expect_near(gradients(by_taps, runs.batch(), 7), expected);  // borders of shards cut the runs
}

TEST_P(ConvWays, ItemTapsEqualTheConvolutionPrimitive) {
  Network n(true, GetParam());
  Graph graph({.catalogue = kCatalogue, .training = true});
  const Var query = n.network.on_forward(Inputs(&graph));
  const std::array outputs{query.node()};
  const Plan plan(graph, {.outputs = outputs, .backward = true});
  const ToyRows rows = rows_of_users(true);
  std::vector<std::unique_ptr<Shard>> shards;
  shards.push_back(std::make_unique<Shard>(plan, rows.size()));
  shards[0]->load(rows.batch(), {});
  ItemOps items(plan);
  items.forward(shards, RunContext(1, 1));
  ASSERT_EQ(items.sources().size(), 1U);
  ASSERT_EQ(items.sources()[0].ran.size(), 1U);
  shards[0]->forward();

  NodeId e, maxima;
  for (const NodeId node : plan.nodes()) {
    if (std::holds_alternative<Lookup>(graph.node(node).work)) shards[0]->forward(e = node);
    if (graph.node(node).name == "maxima") maxima = node;
  }
  const std::span<const float> got = shards[0]->value(maxima);
  for (std::size_t h = 0; h < kHeights.size(); ++h) {
    const kernels::Conv1d shape{static_cast<int>(rows.size()), kCatalogue.max_length, kSize,
                                kFilters, kHeights[h]};
    const auto windows = static_cast<std::size_t>(shape.positions());
    std::vector<float> map(rows.size() * windows * kFilters);
    kernels::conv1d(shape, shards[0]->value(e).data(), n.convs[h].weight.values().data(),
                    n.convs[h].bias.values().data(), map.data());
    for (std::size_t row = 0; row < rows.size(); ++row)
      for (std::size_t f = 0; f < kFilters; ++f) {
        float largest = 0;  // relu
        for (std::size_t t = 0; t < windows; ++t)
          largest = std::max(largest, map[(row * windows + t) * kFilters + f]);
        ASSERT_NEAR(got[(row * kHeights.size() + h) * kFilters + f], largest, 1e-5);
      }
  }
}

INSTANTIATE_TEST_SUITE_P(Paddings, ConvWays, ::testing::Values(Padding::left, Padding::right),
                         [](const auto& side) {
                           return side.param == Padding::left ? std::string("left")
                                                              : std::string("right");
                         });

}  // namespace
}  // namespace recloom::nn
