// What a careless author may hand to the graph: each is refused when the network is recorded, by
// one line, and nothing is read that is not there.
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "nn/graph/graph.hpp"
#include "nn/toy_network.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/op.hpp"

namespace recloom::nn {
namespace {

constexpr Catalogue kCatalogue{5, 12, 4};

struct World {
  ToyNetwork network{kCatalogue};
  Embedding items{network.at("items"), kCatalogue.n_items, 4, normal(1)};
  Linear layer{network.at("layer"), 4, 4};
  World() { network.head = {{items.weight}}; }

  /// Record a loss. @return why it was refused, "" if it was not.
  std::string problem(const std::function<Loss(const Inputs&)>& loss) {
    Graph graph({.catalogue = kCatalogue, .training = true, .loss = "BPR", .n_negatives = 2});
    try {
      loss(Inputs(&graph));
    } catch (const ModelError& error) {
      return error.what();
    }
    return "";
  }
  std::string problem_of(const std::function<Var(const Inputs&)>& record) {
    return problem([&](const Inputs& in) { return mean(sum(record(in))); });
  }
  Var last(const Inputs& in) const { return in.history().last(items(in.history().ids())); }
};

TEST(AuthorsMistakes, LastWantsOneVectorForEachPosition) {
  World w;
  TimeConv conv(w.network.at("conv"), 4, 4, 2);
  EXPECT_EQ(w.problem_of([&](const Inputs& in) {
    const History history = in.history();
    return history.last(conv(w.items(history.ids())).named("windows"));
  }),
            "last: 'windows' has shape " + to_text({kCatalogue.max_length - 1, 4}) +
                ", not one vector for each of " + std::to_string(kCatalogue.max_length) +
                " positions");
}

TEST(AuthorsMistakes, NothingOfAnEarlierRecordingIsTaken) {
  World w;
  Graph earlier({.catalogue = kCatalogue});
  const Var kept = w.last(Inputs(&earlier));
  EXPECT_EQ(w.problem_of([&](const Inputs& in) { return kept + w.last(in); }),
            "op add: an operand belongs to another recording; nothing of one may be kept");
}

TEST(AuthorsMistakes, EmptyHandlesAreRefused) {
  World w;
  const std::string var = "a Var is empty: nothing was computed into it",
                    ids = "Ids are empty: they come from no input",
                    parameter = "a Parameter is empty: it was never made";
  const auto operand = [](const std::string& op) { return "op " + op + ": an operand is empty"; };
  EXPECT_EQ(w.problem_of([&](const Inputs&) { return w.items(Ids()); }), ids);
  EXPECT_EQ(w.problem_of([](const Inputs& in) { return Embedding()(in.user()); }), parameter);
  EXPECT_EQ(w.problem_of([&](const Inputs& in) { return linear(w.last(in), Parameter()); }),
            operand("linear"));
  EXPECT_EQ(w.problem_of([](const Inputs&) { return sum_over_time(Var()); }),
            operand("sum_over_time"));
  EXPECT_EQ(w.problem_of([&](const Inputs& in) { return w.last(in) + Var(); }), operand("add"));
  EXPECT_EQ(
      w.problem_of([&](const Inputs& in) { return attention(w.last(in), Var(), Var(), 1, {}, 0); }),
      operand("attention"));
  EXPECT_EQ(w.problem_of([](const Inputs&) { return relu(Var()).named("x"); }), operand("relu"));
  EXPECT_EQ(
      w.problem_of([&](const Inputs& in) { return gru(w.last(in), Parameter(), Parameter()); }),
      operand("gru"));
  EXPECT_EQ(w.problem_of([](const Inputs&) { return flatten(Var()); }), var);
  EXPECT_EQ(w.problem_of([](const Inputs&) { return column(Var()); }), var);
  EXPECT_EQ(w.problem_of([](const Inputs&) { return detach(Var()); }), operand("detach"));
  EXPECT_EQ(w.problem_of([](const Inputs&) { return take(Var(), 0); }), var);
  EXPECT_EQ(
      w.problem_of([&](const Inputs& in) { return call(std::shared_ptr<const Op>(), w.last(in)); }),
      "call: the op is a null pointer");
  EXPECT_EQ(w.problem([](const Inputs&) { return mean(Var()); }), var);
  EXPECT_EQ(w.problem([&](const Inputs& in) { return bpr_loss(w.last(in), Var()); }),
            operand("bpr_loss"));
  EXPECT_EQ(w.problem([&](const Inputs& in) {
    return mean(sum(in.score(w.last(in), w.network.head, Ids())));
  }),
            ids);
  EXPECT_EQ(w.problem([&](const Inputs& in) { return in.loss(w.last(in), {{Parameter()}}); }),
            "item head: a table is empty, it was never made");
  EXPECT_EQ(w.problem_of([&](const Inputs& in) {
    in.derive("mine", 3, nullptr);
    return w.last(in);
  }),
            "derive: 'mine' has no function to fill it");
  w.network.on_forward = [](const Inputs&) { return Var(); };
  EXPECT_THROW(w.network.ready(), ModelError);
}

TEST(AuthorsMistakes, SizesThatOverflowAreRefused) {
  World w;
  constexpr int kMost = std::numeric_limits<int>::max();
  EXPECT_EQ(w.problem_of([&](const Inputs& in) { return slice(w.last(in), kMost, 2); }),
            "slice: 2 columns from 2147483647 on of shape [4]");
  EXPECT_THROW(w.network.parameter("huge", {65536, 65536, 65536, 65536}, zeros()), ModelError);
  EXPECT_THROW(w.network.parameter("layer.weight", {4}, zeros()), ModelError);
  EXPECT_THROW(w.network.parameter("none", {0}, zeros()), ModelError);
  EXPECT_THROW(w.layer.bias.assign(std::vector<float>(3)), ModelError);
  const std::vector<float> log_q(3);
  EXPECT_EQ(w.problem([&](const Inputs& in) {
    const Var p = in.score(w.last(in), w.network.head, in.targets()),
              n = in.score(w.last(in), w.network.head, in.negatives());
    return sampled_softmax_loss(p, n, in.targets(), in.negatives(), log_q);
  }),
            "sampled_softmax_loss: log_q has 3 numbers, there are 12 items");
}

/// An op that says of itself what it is told to.
class Liar final : public Op {
 public:
  Liar(const Shape& shape, std::size_t saved) : shape_(shape), saved_(saved) {}
  std::string_view name() const noexcept override { return "liar"; }
  Shape output_shape(const OpShapes&) const override { return shape_; }
  std::size_t saved_size(const OpShapes&) const override { return saved_; }
  void forward(const OpForward&) const override {}
  void backward(const OpBackward&) const override {}

 private:
  Shape shape_;
  std::size_t saved_;
};

TEST(AuthorsMistakes, WhatAnOpSaysOfItselfIsChecked) {
  World w;
  const auto says = [&](const Shape& shape, std::size_t saved) {
    return w.problem_of(
        [&](const Inputs& in) { return call(std::make_shared<Liar>(shape, saved), w.last(in)); });
  };
  Shape deep{4};
  deep.rank = 9;
  Shape negative{4};
  negative.rank = -1;
  EXPECT_EQ(says({4}, 0), "");
  for (const Shape& shape : {Shape{0}, Shape{-5}, deep, negative})
    EXPECT_TRUE(says(shape, 0).starts_with("op liar: its output has rank ")) << says(shape, 0);
  EXPECT_TRUE(says({4}, static_cast<std::size_t>(-1)).starts_with("op liar: output [4] and "));
  EXPECT_TRUE(says({65536, 65536}, 0).starts_with("op liar: output [65536, 65536] and 0 saved"));
}

TEST(AuthorsMistakes, ThousandsOfNodesHaveNamesOfTheirOwn) {
  World w;
  Graph graph({.catalogue = kCatalogue});
  const Inputs in(&graph);
  Var x = w.last(in);
  for (int n = 0; n < 5000; ++n) x = x + 0.5 * x;
  x = x.named("scale.7");
  x = x.named("scale.7");
  std::set<std::string> names;
  for (const NodeId id : graph.ids()) {
    const std::string& name = graph.node(id).name;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_TRUE(names.contains("scale.5000"));
}

}  // namespace
}  // namespace recloom::nn
