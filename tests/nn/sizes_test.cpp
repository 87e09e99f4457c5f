// Sizes whose products are beyond 2^31: refused by name where they cannot be, which takes no
// memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "nn/graph/graph.hpp"
#include "nn/ops/head.hpp"
#include "nn/passes/plan.hpp"
#include "nn/toy_network.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/modules.hpp"

namespace recloom::nn {
namespace {

constexpr int kMostNumbers = 1 << 26;  // of a node and row

struct SizeCase {
  std::string name;
  int length;
  std::function<void(const ToyNetwork&, const Inputs&)> record;
  std::string message;
};
void PrintTo(const SizeCase& c, std::ostream* out) { *out << c.name; }

Var ones_of(const Inputs& in) { return flatten(in.history().mask()); }

const SizeCase kCases[] = {
    {"history", std::numeric_limits<int>::max(), [](auto&, auto& in) { in.history(); },
     "op history: output [2147483647]"},
    {"lookup", 1 << 20,
     [](auto& network, auto& in) {
       lookup(network.parameters().find("wide"), in.history().ids(), false);
     },
     "op lookup: output [1048576, 128]"},
    {"linear", 1 << 20,
     [](auto& network, auto& in) {
       linear(in.history().mask(), network.parameters().find("column"));
     },
     "op linear: output [1048576, 128]"},
    {"concat", kMostNumbers, [](auto&, auto& in) { concat(std::vector<Var>(33, ones_of(in))); },
     "2214592512 numbers along an axis"},
    {"a sum that is repeated over an axis", 1 << 14,
     [](auto&, auto& in) { column(ones_of(in)) + ones_of(in); }, "16384, 16384"},
    {"attention", 1 << 14,
     [](auto&, auto& in) {
       const Var x = in.history().mask();
       attention(x, x, x, 1, {}, 0);
     },
     "op attention: output [16384, 1] and 268435456 saved numbers"},
    {"max_over_time", (1 << 24) + 1, [](auto&, auto& in) { max_over_time(in.history().mask()); },
     "max_over_time: 16777217 positions, at most 16777216"},
    {"conv_max_over_time", (1 << 24) + 1,
     [](auto& network, auto& in) {
       TimeConv conv;
       conv.weight = network.parameters().find("filter");
       conv.bias = network.parameters().find("bias");
       conv_max_over_time({&conv, 1}, in.history().mask(), Activation::relu);
     },
     "conv_max_over_time: 16777217 positions, at most 16777216"},
    {"gru", 4, [](auto& network, auto&) { Gru(network.at("gru"), 8, (1 << 30) + 2, {}); },
     "gru: a hidden size of 1073741826 is not from 1 to 715827882"},
    {"one row too long for a shard", kMostNumbers,
     [](auto&, auto& in) {
       Var x = in.history().mask();
       for (int layer = 0; layer < 260; ++layer) x = relu(x);
       const std::vector outputs{x.node()};
       Plan(*x.graph(), {.outputs = outputs});
     },
     "numbers of a row, at most 17179869184 are possible"},
};

class Sizes : public ::testing::TestWithParam<SizeCase> {};
INSTANTIATE_TEST_SUITE_P(Ops, Sizes, ::testing::ValuesIn(kCases));

TEST_P(Sizes, BeyondWhatCanBeCountedAreRefusedByName) {
  const SizeCase& c = GetParam();
  ToyNetwork network({2, 5, c.length});
  network.parameter("wide", {5, 128}, zeros());
  network.parameter("column", {128, 1}, zeros());
  network.parameter("filter", {1, 1, 2, 1}, zeros());
  network.parameter("bias", {1}, zeros());
  Graph graph({.catalogue = network.catalogue(), .training = true});
  try {
    c.record(network, Inputs(&graph));
    FAIL() << "was taken";
  } catch (const ModelError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr(c.message));
  }
}

}  // namespace
}  // namespace recloom::nn
