#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "nn/toy_network.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

std::vector<float> values_of(Parameter p) { return {p.values().begin(), p.values().end()}; }

TEST(Init, OrderOfDeclarationDoesNotMatter) {
  Parameters ab, ba;
  ab.add("a", {50, 3}, normal(1), Trained::yes);
  ab.add("b", {20}, uniform(1), Trained::no);
  ba.add("b", {20}, uniform(1), Trained::no);
  ba.add("other", {7}, normal(1), Trained::yes);
  ba.add("a", {50, 3}, normal(1), Trained::yes);
  ab.initialise(5);
  ba.initialise(5);
  for (const char* name : {"a", "b"})
    EXPECT_EQ(values_of(ab.find(name)), values_of(ba.find(name))) << name;
}

TEST(Init, SeedsAndNamesDiffer) {
  Parameters p;
  const Parameter a = p.add("a", {40}, normal(1), Trained::yes),
                  b = p.add("b", {40}, normal(1), Trained::yes);
  p.initialise(1);
  const std::vector<float> first = values_of(a);
  EXPECT_NE(first, values_of(b));
  p.initialise(2);
  EXPECT_NE(first, values_of(a));
  p.initialise(1);
  EXPECT_EQ(first, values_of(a));
}

struct Moments {
  double mean = 0, deviation = 0, least = 0, largest = 0;
};
Moments moments(const Shape& shape, Init init) {
  Parameters p;
  const Parameter tensor = p.add("tensor", shape, init, Trained::yes);
  p.initialise(11);
  Moments m;
  const auto values = tensor.values();
  const auto n = static_cast<double>(values.size());
  for (const float v : values) m.mean += v / n;
  for (const float v : values) m.deviation += (v - m.mean) * (v - m.mean) / n;
  m.deviation = std::sqrt(m.deviation);
  m.least = *std::ranges::min_element(values);
  m.largest = *std::ranges::max_element(values);
  return m;
}

void expect_normal(const Shape& shape, Init init, double deviation) {
  const Moments m = moments(shape, init);
  // 40000 draws and more: five standard errors of the mean are 2.5 %, of the deviation 1.8 %.
  EXPECT_NEAR(m.mean, 0, 0.025 * deviation);
  EXPECT_NEAR(m.deviation, deviation, 0.018 * deviation);
  EXPECT_GT(m.largest, 3.3 * deviation);  // it has tails: P(none beyond) is below 1e-8
  EXPECT_LT(m.largest, 6 * deviation);
}
void expect_uniform(const Shape& shape, Init init, double bound) {
  const Moments m = moments(shape, init);
  EXPECT_NEAR(m.mean, 0, 0.015 * bound);
  EXPECT_NEAR(m.deviation, bound / std::sqrt(3), 0.01 * bound);
  EXPECT_GT(m.largest, 0.999 * bound);
  EXPECT_LE(m.largest, bound);
  EXPECT_LT(m.least, -0.999 * bound);
  EXPECT_GE(m.least, -bound);
}

TEST(Init, StatisticsOfEachKind) {
  const Moments constant = moments({200, 200}, {Init::Kind::constant, 0.25});
  EXPECT_EQ(constant.least, 0.25);
  EXPECT_EQ(constant.largest, 0.25);
  expect_normal({200, 200}, normal(0.02), 0.02);
  expect_uniform({200, 200}, uniform(0.3), 0.3);
  expect_uniform({200, 200}, fan_in(64), 0.125);  // 1 / sqrt(64)
}

TEST(Init, XavierCountsFansAsPyTorchDoes) {
  // torch.nn.init: fan_in = in x receptive field, fan_out = out x receptive field; std = sqrt(2 /
  // (fan_in + fan_out)), bound = sqrt(6 / (fan_in + fan_out)). Literals worked out by hand.
  expect_normal({100, 500}, xavier_normal(), 0.05773503);         // 2 / 600
  expect_uniform({100, 500}, xavier_uniform(), 0.1);              // 6 / 600
  expect_normal({40, 10, 5, 20}, xavier_normal(), 0.02);          // 2 / (1000 + 4000)
  expect_uniform({40, 10, 5, 20}, xavier_uniform(), 0.03464102);  // 6 / 5000
  expect_normal({64, 1, 10, 64}, xavier_normal(), 0.00693375);    // 2 / (640 + 40960)
}

TEST(Init, ModulesStartAsPyTorchs) {
  ToyNetwork network({4, 4, 4});
  const TimeConv conv(network.at("conv"), 16, 1000, 3);
  const TimeMix mix(network.at("mix"), 25, 2000);
  const Linear linear(network.at("linear"), 100, 300);
  const LayerNorm norm(network.at("norm"), 8, 1e-5);
  network.parameters().initialise(1);
  const auto bound = [](Parameter p) {
    double largest = 0;
    for (const float v : p.values()) largest = std::max<double>(largest, std::abs(v));
    return largest;
  };
  const double fan = 1 / std::sqrt(48.0);  // 3 x 16
  for (const Parameter& p : {conv.weight, conv.bias}) {
    EXPECT_LE(bound(p), fan);
    EXPECT_GT(bound(p), 0.99 * fan);
  }
  for (const Parameter& p : {mix.weight, mix.bias}) {
    EXPECT_LE(bound(p), 0.2);  // 1 / sqrt(25)
    EXPECT_GT(bound(p), 0.198);
  }
  EXPECT_EQ(bound(linear.bias), 0);
  EXPECT_GT(bound(linear.weight), 3.3 * std::sqrt(2.0 / 400));
  for (const float v : norm.weight.values()) EXPECT_EQ(v, 1);
  for (const float v : norm.bias.values()) EXPECT_EQ(v, 0);
}

TEST(Init, NamesReadAsInAStateDict) {
  ToyNetwork network({4, 4, 4});
  const Linear linear(network.at("encoder").at("layer", 0).at("attention"), 2, 2);
  EXPECT_EQ(linear.weight.name(), "encoder.layer.0.attention.weight");
  EXPECT_EQ(network.parameters()[1].name(), "encoder.layer.0.attention.bias");
  EXPECT_FALSE(network.parameters().find("nothing"));
}

TEST(Init, NamesTakenAndExtentsOfZeroAreRefused) {
  Parameters p;
  p.add("a", {2}, zeros(), Trained::yes);
  EXPECT_THROW(p.add("a", {2}, zeros(), Trained::yes), ModelError);
  EXPECT_THROW(p.add("b", {2, 0}, zeros(), Trained::yes), ModelError);
  EXPECT_THROW(p.add("b", {-1}, zeros(), Trained::yes), ModelError);
  EXPECT_THROW(p.find("a").assign(std::vector<float>(3)), ModelError);
}

}  // namespace
}  // namespace recloom::nn
