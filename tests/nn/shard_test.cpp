// A shard's protocol.
#include "nn/exec/shard.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "nn/graph/graph.hpp"
#include "nn/toy_network.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

constexpr Catalogue kCatalogue{5, 12, 4};

struct World {
  ToyNetwork network{kCatalogue};
  Embedding items{network.at("items"), kCatalogue.n_items, 4, zeros(), PaddingRow::trained};
  Graph graph{{.catalogue = kCatalogue, .training = true}};
  Var x = tanh(items(Inputs(&graph).history().ids())), y = sum_over_time(x);
  std::array<NodeId, 1> outputs{y.node()};
  Plan plan{graph, {.outputs = outputs, .backward = true}};
  ToyRows rows = random_rows(kCatalogue, 6);
  Shard shard{plan, 6};
  std::vector<float> transient = std::vector<float>(plan.transient_per_row() * 6);

  World() { fill_all(network, -1, 1); }
  std::vector<float> gradient_of_x(float seed) {
    shard.clear_diffs({}, true);
    for (float& diff : shard.diff(y.node())) diff += seed;
    std::vector<float> found;
    shard.backward(transient, nullptr, [&](NodeId node) {
      if (node == x.node()) found.assign(shard.diff(node).begin(), shard.diff(node).end());
    });
    return found;
  }
};

TEST(Shard, RefusesACallThatComesTooEarly) {
  World w;
  EXPECT_THROW(w.shard.forward(), InternalError);
  w.shard.load(w.rows.batch(), {});
  EXPECT_THROW(w.shard.clear_diffs({}, true), InternalError);
  EXPECT_THROW(w.shard.backward(w.transient), InternalError);
  w.shard.forward();
  EXPECT_THROW(w.shard.backward(w.transient), InternalError);
  w.shard.clear_diffs({}, true);
  EXPECT_NO_THROW(w.shard.backward(w.transient));
  EXPECT_THROW(w.shard.backward(w.transient), InternalError) << "onto gradients of the first";
  w.shard.load(w.rows.batch(), {});
  EXPECT_THROW(w.shard.backward(w.transient), InternalError) << "of other rows";
  w.shard.forward();
  w.shard.use(w.plan);
  EXPECT_THROW(w.shard.forward(), InternalError) << "with another plan";
}

TEST(Shard, ForgetsGradientsWhenItIsToldTo) {
  World w;
  w.shard.load(w.rows.batch(), {});
  w.shard.forward();
  EXPECT_EQ(w.gradient_of_x(1), std::vector<float>(6 * 4 * 4, 1));
  EXPECT_EQ(w.gradient_of_x(2), std::vector<float>(6 * 4 * 4, 2));
}

TEST(Shard, HasTransientGradientsWhileBackwardRunsOnly) {
  World w;
  w.shard.load(w.rows.batch(), {});
  w.shard.forward();
  ASSERT_TRUE(w.plan.slot(w.x.node()).transient);
  EXPECT_FALSE(w.gradient_of_x(1).empty());
  EXPECT_TRUE(w.shard.diff(w.x.node()).empty());
}

}  // namespace
}  // namespace recloom::nn
