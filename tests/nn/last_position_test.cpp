// Layers computed at the last position alone, against the same layers computed at all.
#include "nn/last_position.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "nn/toy_network.hpp"
#include "nn/train_step.hpp"

namespace recloom::nn {
namespace {

constexpr Catalogue kCatalogue{5, 30, 12};
constexpr int kSize = 6;

/// y = x. The framework knows nothing of it, so nothing moves past it.
class Same final : public Op {
 public:
  std::string_view name() const noexcept override { return "same"; }
  Shape output_shape(std::span<const Shape> inputs) const override { return inputs[0]; }
  Reach reach(std::size_t, std::span<const Shape>) const override { return Reach::same; }
  void forward(const OpForward& c) const override {
    std::ranges::copy(c.inputs[0], c.output.begin());
  }
  void backward(const OpBackward& c) const override {
    for (std::size_t e = 0; e < c.output.size(); ++e)
      c.input_gradients[0][e] += c.output_gradient[e];
  }
};

/// A recurrent layer, a transformer, then two blocks of every other op that can move.
struct Network {
  Network(Padding side, bool moves) {
    network.parameters().initialise(3);
    network.head = {.tables = {items.weight}};
    network.on_forward = [this, side, moves](const Inputs& in) {
      const History history = in.history(side);
      Var x = gru((items(history.ids()) + positions(history.positions())) * history.mask());
      x = encoder(x, {.keys = history.ids(), .causal = side == Padding::right});
      for (int block = 0; block < 2; ++block) x = this->block(block, x, history);
      if (!moves) x = call(same, x, rate);
      return history.last(x) + users(in.user());
    };
  }
  Var block(int i, Var x, const History& history) const {
    const Var a = dropout(outer[i](activate(inner[i](x), Activation::gelu)), 0.3);
    const Var b = concat(slice(a, 0, 2), relu(slice(a, 2, kSize - 2)));
    const Var c = norms[i](x + b - 0.25 * (a * softmax(x)));
    return (c * scale + 0.125) * history.mask() + detach(x);
  }

  ToyNetwork network{kCatalogue};
  Embedding items{network.at("items"), kCatalogue.n_items, kSize, normal(0.5), PaddingRow::trained},
      positions{network.at("positions"), kCatalogue.max_length, kSize, normal(0.5),
                PaddingRow::trained},
      users{network.at("users"), kCatalogue.n_users, kSize, normal(0.5)};
  Gru gru{network.at("gru"), kSize, kSize};
  TransformerEncoder encoder{
      network.at("encoder"),
      kSize,
      {.inner = 8, .dropout = 0.3, .attention_dropout = 0, .init = normal(0.5)}};
  Linear inner[2] = {{network.at("inner.0"), kSize, 9}, {network.at("inner.1"), kSize, 9}},
         outer[2] = {{network.at("outer.0"), 9, kSize}, {network.at("outer.1"), 9, kSize}};
  LayerNorm norms[2] = {{network.at("norm.0"), kSize, 1e-12}, {network.at("norm.1"), kSize, 1e-12}};
  Parameter scale = network.parameter("scale", {kSize}, ones());
  Parameter rate = network.parameter("rate", {1}, ones(), Trained::no);
  std::shared_ptr<Same> same = std::make_shared<Same>();
};

std::vector<float> gradients(Network& network, const Batch& rows, const std::string& loss,
                             int threads) {
  StepOptions options;
  options.loss = loss;
  options.n_negatives = 2;
  options.batch_size = static_cast<int>(rows.size());
  options.shard_rows = 8;
  TrainStep step(network.network, options);
  RunContext run(1, threads);
  std::vector<float> all{static_cast<float>(step.compute_gradients(rows, {5, 1, 0}, run).loss)};
  for (std::size_t p = 0; p < network.network.parameters().size(); ++p) {
    const auto gradient = step.gradient(network.network.parameters()[p].name());
    all.insert(all.end(), gradient.begin(), gradient.end());
  }
  return all;
}

void expect_near(const std::vector<float>& got, const std::vector<float>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t e = 0; e < got.size(); ++e)  // Products of other sizes add up in another order.
    ASSERT_NEAR(got[e], expected[e], 6e-6 * (1 + std::abs(expected[e]))) << e;
}

TEST(LastPosition, GivesLossAndGradientsOfAllPositions) {
  const ToyRows toy = random_rows(kCatalogue, 60, 2);
  for (const Padding side : {Padding::left, Padding::right})
    for (const char* loss : {"CE", "BPR"}) {
      SCOPED_TRACE(std::string(loss) + (side == Padding::left ? " left" : " right"));
      Network moved(side, true), whole(side, false);
      const std::vector<float> got = gradients(moved, toy.batch(), loss, 1);
      expect_near(got, gradients(whole, toy.batch(), loss, 1));
      for (const int threads : {2, 4})
        EXPECT_EQ(gradients(moved, toy.batch(), loss, threads), got) << threads;
    }
}

TEST(LastPosition, GivesScoresOfAllPositions) {
  const ToyRows toy = random_rows(kCatalogue, 300);
  const auto scores = [&](Network& network) {
    network.network.ready();
    std::vector<float> all(toy.size() * kCatalogue.n_items);
    network.network.full_sort_predict(toy.batch(), {all, kCatalogue.n_items});
    return all;
  };
  for (const Padding side : {Padding::left, Padding::right}) {
    Network moved(side, true), whole(side, false);
    expect_near(scores(moved), scores(whole));
  }
}

/// A recording of some nodes, and where they are once nothing is computed for no one.
struct Moved {
  explicit Moved(const std::function<std::vector<Var>(const Network&, const Inputs&)>& record)
      : network(Padding::right, true), graph({.catalogue = kCatalogue, .training = true}) {
    std::vector<std::int32_t> outputs;
    for (const Var output : record(network, Inputs(&graph))) outputs.push_back(output.node());
    for (const Node& node : graph.nodes()) before.push_back(node.name);
    places = compute_at_last(graph, outputs);
    for (const std::int32_t output : outputs)
      now.push_back(places[static_cast<std::size_t>(output)]);
    for (const Node& node : graph.nodes()) after.push_back(node.name);
  }
  /// Rank of the node of this name; -1: there is none.
  int rank(std::string_view name) const {
    const auto found = std::ranges::find(graph.nodes(), name, &Node::name);
    return found == graph.nodes().end() ? -1 : found->shape.rank;
  }
  Network network;
  Graph graph;
  std::vector<std::int32_t> places, now;
  std::vector<std::string> before, after;
};

TEST(LastPosition, MovesWhatNobodyElseReads) {
  const Moved m([](const Network& n, const Inputs& in) {
    const History history = in.history();
    const Var x = n.gru(n.items(history.ids())).named("state");
    const Var y = n.inner[0](x).named("inner");
    return std::vector{history.last(n.norms[0](x + n.outer[0](relu(y))).named("norm"))};
  });
  EXPECT_EQ(m.rank("state"), 2);
  EXPECT_EQ(m.rank("state.last"), 1) << "taken once for both who read it";
  EXPECT_EQ(m.rank("state.last.2"), -1);
  EXPECT_EQ(m.rank("inner"), 1);
  EXPECT_EQ(m.rank("norm"), 1);
  EXPECT_EQ(m.graph.node(m.now[0]).name, "norm");
}

TEST(LastPosition, MovesTheQueryOfAttentionAlone) {
  const Moved m([](const Network& n, const Inputs& in) {
    const History history = in.history();
    const Var x = n.items(history.ids()), q = n.gru(x).named("q"), k = tanh(x).named("k");
    const Var y = attention(relu(q).named("query"), k, k, 2, {.causal = true}, 0);
    return std::vector{history.last(y.named("mixed"))};
  });
  for (const char* whole : {"q", "k"}) EXPECT_EQ(m.rank(whole), 2) << whole;
  for (const char* at_last : {"query", "mixed"}) EXPECT_EQ(m.rank(at_last), 1) << at_last;
}

TEST(LastPosition, LeavesWhatIsReadElsewhere) {
  const Moved m([](const Network& n, const Inputs& in) {
    const History history = in.history();
    const Var x = n.inner[0](n.gru(n.items(history.ids()))).named("read twice");
    const Var own = call(n.same, relu(x).named("read by an own op"), n.rate).named("own");
    return std::vector{history.last(tanh(own).named("moves")), sum_over_time(x)};
  });
  EXPECT_EQ(m.rank("read twice"), 2);
  EXPECT_EQ(m.rank("read by an own op"), 2);
  EXPECT_EQ(m.rank("own"), 2);
  EXPECT_EQ(m.rank("moves"), 1);
  EXPECT_EQ(m.graph.node(m.now[1]).name, "sum_over_time");
}

TEST(LastPosition, LeavesSumsThatRepeatAnExtentOfOne) {
  const Moved m([](const Network& n, const Inputs& in) {
    const History history = in.history();
    const Var x = n.items(history.ids()), one = select(x, in.targets());  // [1, 6]
    return std::vector{history.last((x + one).named("sum"))};
  });
  EXPECT_EQ(m.rank("sum"), 2);
}

TEST(LastPosition, ChangesNothingWithoutNeed) {
  const auto unchanged = [](const auto& record) {
    const Moved m(record);
    return m.after == m.before && std::ranges::is_sorted(m.places);
  };
  EXPECT_TRUE(unchanged([](const Network& n, const Inputs& in) {
    return std::vector{take(relu(n.items(in.history().ids())), -1)};
  })) << "no History::last";
  EXPECT_TRUE(unchanged([](const Network& n, const Inputs& in) {
    const History history = in.history();
    return std::vector{history.last(n.gru(n.items(history.ids())))};
  })) << "nothing to move past";
}

}  // namespace
}  // namespace recloom::nn
