#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "nn/op_check.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

constexpr double kScale = 0.8;  // of weights: keeps tanh and sigmoid away from where they are flat

double apply(Activation f, double x) {
  switch (f) {
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::tanh:
      return std::tanh(x);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
    default:
      return x;
  }
}

std::string numbered(const char* name, int number) {
  return std::string(name).append(std::to_string(number));
}
TimeConv conv_of(const Recorder& r, int height) {
  TimeConv conv;
  conv.weight = r.p(numbered("w", height));
  conv.bias = r.p(numbered("b", height));
  return conv;
}
std::vector<ParameterSpec> specs(const std::vector<int>& heights, int filters) {
  std::vector<ParameterSpec> result;
  for (const int h : heights) {
    result.push_back({numbered("w", h), {filters, 1, h, kSize}, -kScale, kScale});
    result.push_back({numbered("b", h), {filters}, -kScale, kScale});
  }
  return result;
}

/// [windows, filters]
Values naive_conv(const NaiveRow& n, int height, int filters) {
  const Values x = n.x(), &w = n.p(numbered("w", height)), &b = n.p(numbered("b", height));
  const std::size_t k = static_cast<std::size_t>(height * kSize);
  Values y;
  for (std::size_t t = 0; t + static_cast<std::size_t>(height) <= kLength; ++t)
    for (std::size_t f = 0; f < static_cast<std::size_t>(filters); ++f) {
      double total = b[f];
      for (std::size_t e = 0; e < k; ++e) total += w[f * k + e] * x[t * kSize + e];
      y.push_back(total);
    }
  return y;
}

TEST(ConvOps, TimeConv) {
  for (const int height : {1, 2, 4})
    check({numbered("height ", height), specs({height}, 2),
           [=](const Recorder& r) { return conv_of(r, height)(r.x()); },
           [=](const NaiveRow& n) { return naive_conv(n, height, 2); }});
}

TEST(ConvOps, TimeMix) {
  check({"mix",
         {{"w", {2, 1, kLength, 1}}, {"b", {2}}},
         [](const Recorder& r) {
           TimeMix mix;
           mix.weight = r.p("w");
           mix.bias = r.p("b");
           return mix(r.x());
         },
         [](const NaiveRow& n) {
           const Values x = n.x();
           Values y;
           for (std::size_t f = 0; f < 2; ++f)
             for (std::size_t e = 0; e < kSize; ++e) {
               double total = n.p("b")[f];
               for (std::size_t t = 0; t < kLength; ++t)
                 total += n.p("w")[f * kLength + t] * x[t * kSize + e];
               y.push_back(total);
             }
           return y;
         }});
}

/// The items of a window: windows of the same items have the same value, a tie that moves nothing.
std::vector<int> window(const NaiveRow& n, std::size_t t, int height) {
  const std::vector<int> ids = n.history();
  return {ids.begin() + static_cast<std::ptrdiff_t>(t),
          ids.begin() + static_cast<std::ptrdiff_t>(t) + height};
}

Values naive_conv_max(const NaiveRow& n, int height, int filters, Activation f) {
  const Values map = naive_conv(n, height, filters);
  Values y;
  for (std::size_t filter = 0; filter < static_cast<std::size_t>(filters); ++filter) {
    const auto at = [&](std::size_t t) {
      return map[t * static_cast<std::size_t>(filters) + filter];
    };
    const std::size_t windows = kLength - static_cast<std::size_t>(height) + 1;
    std::size_t best = 0;
    for (std::size_t t = 1; t < windows; ++t)
      if (at(t) > at(best)) best = t;
    // Where relu cuts the largest off, nothing has a slope, whichever it is.
    if (f == Activation::relu) kink_at(std::abs(at(best)));
    for (std::size_t t = 0; t < windows; ++t)
      if (window(n, t, height) != window(n, best, height) &&
          (f != Activation::relu || at(best) > 0))
        kink_at(at(best) - at(t));
    y.push_back(apply(f, at(best)));
  }
  return y;
}

TEST(ConvOps, ConvMaxOverTimeOfAllActivations) {
  for (const Activation f :
       {Activation::identity, Activation::relu, Activation::tanh, Activation::sigmoid})
    for (const std::vector<int>& heights : {std::vector<int>{1}, {2, 4}, {1, 2, 3, 4}})
      for (const bool looked_up : {true, false}) {
        // Looked-up items share their products over the batch; after another op, each shard has its
        // own.
        SCOPED_TRACE(looked_up ? "of looked-up items" : "of an op's output");
        check({"activation " + std::to_string(static_cast<int>(f)) + ", heights up to " +
                   std::to_string(heights.back()),
               specs(heights, 2),
               [&](const Recorder& r) {
                 std::vector<TimeConv> convs;
                 for (const int h : heights) convs.push_back(conv_of(r, h));
                 return conv_max_over_time(convs, looked_up ? r.x() : r.x() + 0.0, f);
               },
               [&](const NaiveRow& n) {
                 Values y;
                 for (const int h : heights)
                   for (const double value : naive_conv_max(n, h, 2, f)) y.push_back(value);
                 return y;
               }});
      }
}

TEST(ConvOps, FusedEqualsTheOpsItIsMadeOf) {
  ToyNetwork network({kUsers, kItems, kLength});
  const Embedding items(network.at("items"), kItems, kSize, zeros());
  std::vector<TimeConv> convs;
  for (const int h : {1, 3}) convs.emplace_back(network.at("conv", h), kSize, 5, h);
  fill_all(network, -1, 1);
  const ToyRows rows = random_rows({kUsers, kItems, kLength}, 50);
  const auto fused = run_forward(network, rows.batch(), [&](const Inputs& in) {
    return conv_max_over_time(convs, items(in.history().ids()), Activation::tanh);
  });
  const auto parts = run_forward(network, rows.batch(), [&](const Inputs& in) {
    const Var x = items(in.history().ids());
    return concat(max_over_time(tanh(convs[0](x))), max_over_time(tanh(convs[1](x))));
  });
  ASSERT_EQ(fused.size(), parts.size());
  for (std::size_t e = 0; e < fused.size(); ++e) EXPECT_NEAR(fused[e], parts[e], 1e-6);
}

TEST(ConvOps, WhatDoesNotFitIsRefused) {
  ToyNetwork network({kUsers, kItems, kLength});
  const Embedding items(network.at("items"), kItems, kSize, zeros());
  const TimeConv high(network.at("high"), kSize, 2, kLength + 1), wide(network.at("w"), 4, 2, 2),
      fine(network.at("fine"), kSize, 2, 2);
  const TimeMix mix(network.at("mix"), kLength - 1, 2);
  const ToyRows rows = case_rows(0);
  const auto refused = [&](const char* text, const std::function<Var(Var)>& record) {
    try {
      run_forward(network, rows.batch(),
                  [&](const Inputs& in) { return record(items(in.history().ids())); });
      ADD_FAILURE() << "no error, expected: " << text;
    } catch (const ModelError& e) {
      EXPECT_STREQ(e.what(), text);
    }
  };
  refused("time_conv: input [4, 3] does not fit weight [2, 1, 5, 3]",
          [&](Var x) { return high(x); });
  refused("time_conv: input [4, 3] does not fit weight [2, 1, 2, 4]",
          [&](Var x) { return wide(x); });
  refused("conv_max_over_time: input [4, 3] does not fit weight [2, 1, 2, 4]", [&](Var x) {
    return conv_max_over_time({&wide, 1}, x, Activation::relu);
  });
  refused("conv_max_over_time: shape [12] is not [time, size]", [&](Var x) {
    return conv_max_over_time({&fine, 1}, flatten(x), Activation::relu);
  });
  refused("time_mix: input [4, 3] does not fit weight [2, 1, 3, 1]", [&](Var x) { return mix(x); });
  for (const Activation f : {Activation::gelu, Activation::swish})
    refused(
        "conv_max_over_time: the activation must not decrease anywhere, gelu and swish do: use "
        "max_over_time(activate(conv(x), f))",
        [&](Var x) {
          return conv_max_over_time({&fine, 1}, x, f);
        });
  const ToyRows some = case_rows(0);
  run_forward(network, some.batch(), [&](const Inputs& in) {
    const Var x = items(in.history().ids());
    EXPECT_FALSE(conv_max_over_time({}, x, Activation::relu));  // no filters: nothing
    return x;
  });
}

}  // namespace
}  // namespace recloom::nn
