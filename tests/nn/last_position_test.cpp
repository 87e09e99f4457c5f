// Layers computed at the last position alone, against the same layers computed at all.
#include "nn/passes/last_position.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "nn/graph/graph.hpp"
#include "nn/own_ops.hpp"
#include "nn/step/train_step.hpp"
#include "nn/toy_network.hpp"

namespace recloom::nn {
namespace {

constexpr Catalogue kCatalogue{5, 30, 12};
constexpr int kSize = 6;

/// A recurrent layer, a transformer, then two blocks of every other op that can move, and an
/// author's own op: nothing moves past one that looks at the past.
struct Network {
  explicit Network(Padding side, const OwnOp::Settings& settings = {})
      : own(std::make_shared<OwnOp>(settings)) {
    network.parameters().initialise(3);
    network.head = {.tables = {items.weight}};
    network.on_forward = [this, side](const Inputs& in) {
      const History history = in.history(side);
      Var x = gru((items(history.ids()) + positions(history.positions())) * history.mask());
      x = encoder(x, {.keys = history.ids(), .causal = side == Padding::right});
      for (int block = 0; block < 2; ++block) x = this->block(block, x, history);
      if (side == Padding::left) {
        const Ids third = in.derive("third", 1, [](const Derivation&, auto ids) { ids[0] = 2; });
        x = x + select(x, third);  // [1, 6], repeated
      }
      return history.last(call(own, x, rate)) + users(in.user());
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
  Parameter rate = network.parameter("rate", {1}, ones());
  std::shared_ptr<OwnOp> own;
};

constexpr OwnOp::Settings kWhole{.reach = Reach::past};

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
      Network moved(side), whole(side, kWhole);
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
    Network moved(side), whole(side, kWhole);
    expect_near(scores(moved), scores(whole));
  }
}

/// Rows whose histories fill the window, so that no shorter plan is taken.
ToyRows full_rows(std::size_t n) {
  ToyRows rows(kCatalogue.max_length);
  Rng rng = Rng(4).fork("full rows");
  for (std::size_t r = 0; r < n; ++r) {
    std::vector<ItemId> history(kCatalogue.max_length);
    for (ItemId& item : history) item = static_cast<ItemId>(1 + rng.below(kCatalogue.n_items - 1));
    rows.add(static_cast<UserId>(r % kCatalogue.n_users), history, history[r % history.size()]);
  }
  return rows;
}

/// How many vectors the own op computes of a row, in training and in scoring.
std::vector<std::size_t> vectors_per_row(const OwnOp::Settings& settings) {
  Network network(Padding::right, settings);
  const ToyRows rows = full_rows(20);
  std::vector<std::size_t> result;
  gradients(network, rows.batch(), "CE", 1);
  result.push_back(network.own->vectors.exchange(0) / rows.size());
  network.network.ready();
  std::vector<float> scores(rows.size() * kCatalogue.n_items);
  network.network.full_sort_predict(rows.batch(), {scores, kCatalogue.n_items});
  result.push_back(network.own->vectors / rows.size());
  return result;
}

TEST(LastPosition, ComputesAnOwnOpThere) {
  EXPECT_EQ(vectors_per_row({}), (std::vector<std::size_t>{1, 1}));
  EXPECT_EQ(vectors_per_row({.by_place = 0.25F}), (std::vector<std::size_t>{1, 1}));
}

TEST(LastPosition, ComputesAnOwnOpWholeThatCannotBeMoved) {
  const std::vector<std::size_t> all(2, kCatalogue.max_length);
  EXPECT_EQ(vectors_per_row({.reach = Reach::past, .before = 0.5F}), all);
  EXPECT_EQ(vectors_per_row({.reach = Reach::unknown}), all);
  for (const auto otherwise : {OwnOp::Otherwise::throws, OwnOp::Otherwise::throws_a_number,
                               OwnOp::Otherwise::another_shape})
    EXPECT_EQ(vectors_per_row({.made_for = kCatalogue.max_length, .otherwise = otherwise}), all)
        << static_cast<int>(otherwise);
}

TEST(LastPosition, TellsAnOwnOpWhichPositionItIs) {
  const ToyRows toy = random_rows(kCatalogue, 60, 2);
  const auto of = [&](Padding side, const OwnOp::Settings& settings) {
    Network network(side, settings);
    return gradients(network, toy.batch(), "BPR", 1);
  };
  for (const Padding side : {Padding::left, Padding::right}) {
    const std::vector<float> got = of(side, {.by_place = 0.25F});
    expect_near(got, of(side, {.reach = Reach::past, .by_place = 0.25F}));
    EXPECT_NE(got, of(side, {})) << "the place makes no difference";
  }
}

/// y[t, j] = x[t, j] v[j], x [L, d], v [d, 1]; says the same of both.
class Scale final : public Op {
 public:
  std::string_view name() const noexcept override { return "scale"; }
  Shape output_shape(const OpShapes& shapes) const override { return shapes.inputs[0]; }
  Reach reach(std::size_t, const OpShapes&) const override { return Reach::same; }
  void forward(const OpForward&) const override {}
  void backward(const OpBackward&) const override {}
};

TEST(LastPosition, TakesNoOtherAxisOfLElementsForPositions) {
  ToyNetwork network(kCatalogue);
  const int d = kCatalogue.max_length;
  const Embedding items(network.at("items"), kCatalogue.n_items, d, normal(1)),
      users(network.at("users"), kCatalogue.n_users, d, normal(1));
  Graph graph({.catalogue = kCatalogue});
  const Inputs in(&graph);
  const Var x = items(in.history().ids()), v = column(users(in.user())),
            w = column(sum_over_time(x)), y = call(std::make_shared<Scale>(), x, v),
            z = call(std::make_shared<Scale>(), y, w);
  const ByNode<bool> over = nodes_over_positions(graph);
  for (const Var one : {x, y, z}) EXPECT_TRUE(over[one.node()]);
  for (const Var one : {v, w}) EXPECT_FALSE(over[one.node()]);
  for (const Var one : {y, z})
    EXPECT_EQ(operands_at_last(graph, one.node(), over), (std::vector<bool>{true, false}));
}

/// y = x where an id is not 0, x [L, d], ids [L]; says nothing of the ids.
class OwnMask final : public Op {
 public:
  std::string_view name() const noexcept override { return "own mask"; }
  Shape output_shape(const OpShapes& shapes) const override { return shapes.inputs[0]; }
  Reach reach(std::size_t operand, const OpShapes&) const override {
    return operand == 0 ? Reach::same : Reach::unknown;
  }
  void forward(const OpForward& c) const override {
    const auto d = static_cast<std::size_t>(c.output_shape.last());
    for (std::size_t e = 0; e < c.output.size(); ++e)
      c.output[e] = c.ids[0][e / d] != 0 ? c.inputs[0][e] : 0.0F;
  }
  void backward(const OpBackward&) const override {}
};

/// A recording of some nodes, and where they are once nothing is computed for no one.
struct Moved {
  explicit Moved(const std::function<std::vector<Var>(const Network&, const Inputs&)>& record,
                 const OwnOp::Settings& settings = {})
      : network(Padding::right, settings), graph({.catalogue = kCatalogue, .training = true}) {
    std::vector<NodeId> outputs;
    for (const Var output : record(network, Inputs(&graph))) outputs.push_back(output.node());
    before = names();
    places = compute_at_last(graph, outputs);
    for (const NodeId output : outputs) now.push_back(places[output]);
    after = names();
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const NodeId id : graph.ids()) all.push_back(graph.node(id).name);
    return all;
  }
  /// Positions of the node of this name, which is [positions, ...]; -1: there is none.
  int positions(std::string_view name) const {
    for (const NodeId id : graph.ids())
      if (graph.node(id).name == name) return graph.node(id).shape.extent[0];
    return -1;
  }
  Network network;
  Graph graph;
  ByNode<NodeId> places;
  std::vector<NodeId> now;
  std::vector<std::string> before, after;
};

constexpr int kAll = kCatalogue.max_length;

TEST(LastPosition, MovesWhatNobodyElseReads) {
  const Moved m([](const Network& n, const Inputs& in) {
    const History history = in.history();
    const Var x = n.gru(n.items(history.ids())).named("state");
    const Var y = n.inner[0](x).named("inner");
    return std::vector{
        history.last(n.norms[0](x + n.outer[0](relu(y))).named("norm")).named("result")};
  });
  EXPECT_EQ(m.positions("state"), kAll);
  EXPECT_EQ(m.positions("state.last"), 1) << "taken once for both who read it";
  EXPECT_EQ(m.positions("state.last.2"), -1);
  EXPECT_EQ(m.positions("inner"), 1);
  EXPECT_EQ(m.positions("norm"), 1);
  const Node& result = m.graph.node(m.now[0]);
  EXPECT_EQ(result.name, "result");
  EXPECT_EQ(result.shape, Shape({kSize}));
}

TEST(LastPosition, MovesTheQueryOfAttentionAlone) {
  const Moved m([](const Network& n, const Inputs& in) {
    const History history = in.history();
    const Var x = n.items(history.ids()), q = n.gru(x).named("q"), k = tanh(x).named("k");
    const Var y = attention(relu(q).named("query"), k, k, 2, {.causal = true}, 0);
    return std::vector{history.last(y.named("mixed"))};
  });
  for (const char* whole : {"q", "k"}) EXPECT_EQ(m.positions(whole), kAll) << whole;
  for (const char* at_last : {"query", "mixed"}) EXPECT_EQ(m.positions(at_last), 1) << at_last;
}

std::vector<Var> read_twice(const Network& n, const Inputs& in) {
  const History history = in.history();
  const Var x = n.inner[0](n.gru(n.items(history.ids()))).named("read twice");
  const Var own = call(n.own, relu(x).named("read by an own op"), n.rate).named("own");
  return {history.last(tanh(own).named("moves")), sum_over_time(x).named("sum")};
}

TEST(LastPosition, LeavesWhatIsReadElsewhere) {
  const Moved m(read_twice);
  EXPECT_EQ(m.positions("read twice"), kAll);
  EXPECT_EQ(m.positions("read twice.last"), 1);
  for (const char* at_last : {"read by an own op", "own", "moves"})
    EXPECT_EQ(m.positions(at_last), 1) << at_last;
  EXPECT_EQ(m.graph.node(m.now[1]).name, "sum");
}

TEST(LastPosition, LeavesWhatAnOpOfThePastReads) {
  const Moved m(read_twice, kWhole);
  for (const char* whole : {"read twice", "read by an own op", "own"})
    EXPECT_EQ(m.positions(whole), kAll) << whole;
  EXPECT_EQ(m.positions("moves"), 1);
}

TEST(LastPosition, LeavesAnOpWhoseIdsWouldComeWhole) {
  const Moved m([](const Network& n, const Inputs& in) {
    const History history = in.history();
    const Var x = relu(n.items(history.ids()));
    return std::vector{history.last(call(std::make_shared<OwnMask>(), x, history.ids()))};
  });
  EXPECT_EQ(m.positions("own mask"), kAll);
}

TEST(LastPosition, MovesSumsThatRepeatAnExtentOfOne) {
  const Moved m([](const Network& n, const Inputs& in) {
    const History history = in.history();
    const Var x = n.items(history.ids()), one = select(x, in.targets());  // [1, 6]
    return std::vector{history.last((x + one).named("sum"))};
  });
  EXPECT_EQ(m.positions("sum"), 1);
}

TEST(LastPosition, ChangesNothingWithoutNeed) {
  const auto unchanged = [](const auto& record) {
    const Moved m(record);
    bool stays = m.after == m.before;
    for (const NodeId id : m.graph.ids()) stays = stays && m.places[id] == id;
    return stays;
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
