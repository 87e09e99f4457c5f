// conv_max_over_time is computed in several ways, by counts or as train.convolution says: they must
// agree.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "nn/step/train_step.hpp"
#include "nn/toy_network.hpp"

namespace recloom::nn {
namespace {

using ::testing::HasSubstr;

constexpr int kUsers = 5, kItems = 30, kSize = 6;
constexpr Convolution kForced[] = {Convolution::dnnl, Convolution::windows, Convolution::taps};

/// Users' whole sequences as rows. In order, neighbours share all but one item (the first rows are
/// shorter than L); else they have nothing in common.
ToyRows rows_of_users(int length, bool in_order) {
  ToyRows rows(length);
  Rng rng(3);
  for (int user = 1; user < kUsers; ++user) {
    std::vector<ItemId> sequence(30);
    for (ItemId& item : sequence) item = static_cast<ItemId>(1 + rng.below(kItems - 1));
    std::vector<std::size_t> lengths;
    for (std::size_t n = 1; n + 1 < sequence.size(); ++n) lengths.push_back(n);
    if (!in_order) std::ranges::sort(lengths, {}, [](std::size_t n) { return n * 7919 % 31; });
    for (const std::size_t n : lengths) rows.add(user, std::span(sequence).first(n), sequence[n]);
  }
  return rows;
}

struct Filters {
  int length, per_height;
  std::vector<int> heights;
  Activation f = Activation::relu;
  Padding padding = Padding::right;
};

struct Network {
  /// @param looked_up false: an op stands between the item vectors and the convolution, so that
  /// every shard works on its own windows.
  explicit Network(const Filters& s, bool looked_up = true) : network({kUsers, kItems, s.length}) {
    const Embedding items(network.at("items"), kItems, kSize, zeros());
    for (const int h : s.heights) convs.emplace_back(network.at("conv", h), kSize, s.per_height, h);
    const Linear out(network.at("out"), s.per_height * static_cast<int>(s.heights.size()), kSize);
    fill_all(network, -1, 1);
    network.head = {.tables = {items.weight}};
    network.on_forward = [=, this](const Inputs& in) {
      const Var e = items(in.history(s.padding).ids());
      const Var x = looked_up ? e : e + 0.0;
      return out(conv_max_over_time(convs, x, s.f).named("maxima"));
    };
    network.ready();
  }
  ToyNetwork network;
  std::vector<TimeConv> convs;
};

using Numbers = std::vector<std::vector<float>>;

/// The loss, the gradient of every parameter, and the scores of all rows.
Numbers numbers(Network& n, Convolution way, const Batch& rows, int shard_rows, int threads) {
  n.network.set_convolution(way);
  StepOptions options;
  options.batch_size = static_cast<int>(rows.size());
  options.shard_rows = shard_rows;
  TrainStep step(n.network, options);
  RunContext run(1, threads);
  Numbers all{{static_cast<float>(step.compute_gradients(rows, {}, run).loss)}};
  for (std::size_t p = 0; p < n.network.parameters().size(); ++p) {
    const auto gradient = step.gradient(n.network.parameters()[p].name());
    all.emplace_back(gradient.begin(), gradient.end());
  }
  std::vector<float> scores(rows.size() * kItems), queries(rows.size() * kSize);
  n.network.full_sort_predict(rows, {scores, kItems});
  n.network.factorised()->encode_all(rows, {queries, kSize}, run);
  all.push_back(std::move(scores));
  all.push_back(std::move(queries));
  return all;
}

void expect_near(const Numbers& a, const Numbers& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t p = 0; p < a.size(); ++p) {
    ASSERT_EQ(a[p].size(), b[p].size());
    // Sums of the same numbers in another order.
    float largest = 1;
    for (const float value : b[p]) largest = std::max(largest, std::abs(value));
    for (std::size_t e = 0; e < a[p].size(); ++e)
      ASSERT_NEAR(a[p][e], b[p][e], 2e-6 * largest) << p;
  }
}

std::vector<int> all_heights(int length) {
  std::vector<int> heights(static_cast<std::size_t>(length));
  for (int h = 0; h < length; ++h) heights[static_cast<std::size_t>(h)] = h + 1;
  return heights;
}

TEST(ConvWays, ForcedWaysAgreeOnWholeStepsAndScores) {
  const Filters several[] = {
      {3, 4, all_heights(3)},
      {5, 16, all_heights(5), Activation::tanh},
      {5, 1, {2, 4}, Activation::sigmoid, Padding::left},
      {9, 9, {1, 2, 5, 9}, Activation::identity, Padding::left},  // more than a group of lanes
      {10, 8, all_heights(10)},
      {20, 4, {1, 3, 8, 9, 15, 20}, Activation::tanh},  // filters of more than one piece
      {50, 8, {7, 30, 50}, Activation::relu, Padding::left},
  };
  for (const Filters& filters : several) {
    SCOPED_TRACE(::testing::Message() << "L " << filters.length);
    Network n(filters);
    const ToyRows rows = rows_of_users(filters.length, true);
    const Numbers expected = numbers(n, Convolution::automatic, rows.batch(), 256, 2);
    for (const Convolution way : kForced)
      for (const int shard_rows : {256, 67, 9}) {  // the last shard is a part of one
        SCOPED_TRACE(::testing::Message()
                     << "way " << static_cast<int>(way) << ", shards of " << shard_rows);
        const Numbers got = numbers(n, way, rows.batch(), shard_rows, 1);
        expect_near(got, expected);
        EXPECT_EQ(numbers(n, way, rows.batch(), shard_rows, 4), got);
      }
  }
}

TEST(ConvWays, FilterGradientsFollowTheParameters) {
  Network n({9, 8, {2, 9}});
  const ToyRows rows = rows_of_users(9, false);
  n.network.set_convolution(Convolution::dnnl);
  StepOptions options;
  options.batch_size = static_cast<int>(rows.size());
  TrainStep step(n.network, options);
  RunContext run(1, 2);
  for (int i = 0; i < 3; ++i) step.run(rows.batch(), {1, 1, i}, 0.05, run);
  const double loss = step.compute_gradients(rows.batch(), {}, run).loss;
  n.network.set_convolution(Convolution::windows);
  TrainStep other(n.network, options);
  EXPECT_NEAR(other.compute_gradients(rows.batch(), {}, run).loss, loss, 1e-5);
}

TEST(ConvWays, WindowsItemTapsAndSharedWindowsGiveTheSameGradients) {
  for (const Padding padding : {Padding::left, Padding::right}) {
    const Filters filters{9, 9, {1, 2, 5, 9}, Activation::relu, padding};
    Network by_window(filters, false), by_taps(filters);
    const ToyRows runs = rows_of_users(9, true), single = rows_of_users(9, false);
    const auto way = Convolution::automatic;
    const auto gradients = [way](Network& n, const ToyRows& rows, int shard_rows) {
      Numbers all = numbers(n, way, rows.batch(), shard_rows, 2);
      all.resize(all.size() - 2);  // Scores are of other rows.
      return all;
    };
    const Numbers expected = gradients(by_window, single, 256);
    expect_near(gradients(by_taps, single, 256), expected);
    expect_near(gradients(by_taps, runs, 256), expected);
    expect_near(gradients(by_taps, runs, 7), expected);  // borders of shards cut the runs
  }
}

TEST(ConvWays, WhatIsNotFollowedIsSaid) {
  Network looked_up({9, 8, {2, 9}}), computed({9, 8, {2, 9}}, false);
  const StepOptions options;
  for (const Convolution way : kForced) {
    looked_up.network.set_convolution(way);
    EXPECT_EQ(obstacle_to_convolution(looked_up.network, options), "");
  }
  computed.network.set_convolution(Convolution::dnnl);
  EXPECT_EQ(obstacle_to_convolution(computed.network, options), "");
  computed.network.set_convolution(Convolution::taps);
  EXPECT_THAT(obstacle_to_convolution(computed.network, options),
              HasSubstr("'maxima' is not over looked-up histories"));
  ToyNetwork none({kUsers, kItems, 4});
  const Embedding items(none.at("items"), kItems, kSize, zeros());
  none.head = {.tables = {items.weight}};
  none.on_forward = [&](const Inputs& in) { return in.history().last(items(in.history().ids())); };
  EXPECT_FALSE(has_convolutions(none, options));
  EXPECT_TRUE(has_convolutions(computed.network, options));
}

TEST(ConvWays, AComputedHistoryIsConvolvedByPrimitives) {
  const Filters filters{9, 8, {1, 4, 9}, Activation::sigmoid};
  Network n(filters, false);
  const ToyRows rows = rows_of_users(9, false);
  expect_near(numbers(n, Convolution::dnnl, rows.batch(), 20, 2),
              numbers(n, Convolution::windows, rows.batch(), 20, 2));
}

}  // namespace
}  // namespace recloom::nn
