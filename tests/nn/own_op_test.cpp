#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <memory>

#include "nn/exec/shard.hpp"
#include "nn/graph/graph.hpp"
#include "nn/op_check.hpp"
#include "nn/passes/plan.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/op.hpp"

namespace recloom::nn {
namespace {

/// y = sum over time of rate^(age) x[t] where an id is not 0: uses a row tensor, ids, a parameter
/// and saved floats.
class DecaySum final : public Op {
 public:
  std::string_view name() const noexcept override { return "decay_sum"; }
  Shape output_shape(const OpShapes& shapes) const override {
    const auto inputs = shapes.inputs;
    if (inputs.size() != 2 || inputs[0].rank != 2 || inputs[1].last() != 1)
      throw ModelError("decay_sum: wants x [time, size] and a rate [1]");
    return {inputs[0].extent[1]};
  }
  std::size_t saved_size(const OpShapes& shapes) const override {
    return static_cast<std::size_t>(shapes.inputs[0].extent[0]);
  }
  void forward(const OpForward& c) const override {
    const std::size_t length = c.saved.size() / c.rows, d = c.output.size() / c.rows;
    std::fill(c.output.begin(), c.output.end(), 0.0F);
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t t = 0; t < length; ++t) {
        const bool there = c.ids[0][r * length + t] != 0;
        const float weight = there ? std::pow(c.inputs[1][0], static_cast<float>(t)) : 0.0F;
        c.saved[r * length + t] = weight;
        for (std::size_t e = 0; e < d; ++e)
          c.output[r * d + e] += weight * c.inputs[0][(r * length + t) * d + e];
      }
  }
  void backward(const OpBackward& c) const override {
    const std::size_t length = c.saved.size() / c.rows, d = c.output.size() / c.rows;
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t t = 0; t < length; ++t)
        for (std::size_t e = 0; e < d; ++e) {
          const std::size_t at = (r * length + t) * d + e;
          const float g = c.diff_output[r * d + e];
          if (!c.diff_inputs[0].empty()) c.diff_inputs[0][at] += c.saved[at / d] * g;
          if (!c.diff_inputs[1].empty())
            c.diff_inputs[1][0] +=
                static_cast<float>(t) * c.saved[at / d] / c.inputs[1][0] * c.inputs[0][at] * g;
        }
  }
};

OpCase decay(bool rate_trained) {
  return {rate_trained ? "trained rate" : "fixed rate",
          {{"rate", {1}, 0.5, 0.9, rate_trained}},
          [](const Recorder& r) {
            return call(std::make_shared<DecaySum>(), r.x(), r.in.history().ids(), r.p("rate"));
          },
          [](const NaiveRow& n) {
            Values y(kSize, 0.0);
            for (std::size_t t = 0; t < kLength; ++t)
              for (std::size_t e = 0; e < kSize; ++e)
                if (n.history()[t] != 0)
                  y[e] += std::pow(n.p("rate")[0], static_cast<double>(t)) * n.x()[t * kSize + e];
            return y;
          }};
}

TEST(OwnOps, GetOperandsInOrderAndGradientsBack) { check(decay(true)); }

TEST(OwnOps, UntrainedParameterGetsNoGradient) {
  OpCase c = decay(false);
  // The reference would give the rate a slope: hide it by reading the value once.
  c.naive = [naive = c.naive, kept = std::map<std::string, Values>()](const NaiveRow& n) mutable {
    if (kept.empty()) kept = n.parameters;
    std::map<std::string, Values> fixed = n.parameters;
    fixed["rate"] = kept["rate"];
    return naive({fixed, n.row});
  };
  check(c);
}

TEST(OwnOps, RefusalsNameTheOp) {
  ToyNetwork network({kUsers, kItems, kLength});
  network.parameter("items", {kItems, kSize}, zeros());
  network.parameter("users", {kUsers, kSize}, zeros());
  const Parameter rate = network.parameter("rate", {1}, ones());
  const ToyRows rows = case_rows(0);
  const auto refused = [&](const char* text, const std::function<Var(const Recorder&)>& record) {
    try {
      run_forward(network, rows.batch(), [&](const Inputs& in) { return record({network, in}); });
      ADD_FAILURE() << "no error, expected: " << text;
    } catch (const ModelError& e) {
      EXPECT_STREQ(e.what(), text);
    }
  };
  const auto op = std::make_shared<DecaySum>();
  refused("decay_sum: wants x [time, size] and a rate [1]",
          [&](const Recorder& r) { return call(op, r.v(), r.in.history().ids(), rate); });
  refused("op decay_sum: an operand is empty",
          [&](const Recorder& r) { return call(op, r.x(), r.in.history().ids(), Parameter()); });
  refused("op decay_sum: no operand belongs to a row",
          [&](const Recorder&) { return call(op, rate, rate); });
}

TEST(OwnOps, IdsOutsideOfWhatTheyPointAtAreRefused) {
  ToyNetwork network({kUsers, kItems, kLength});
  network.parameter("items", {kItems, kSize}, zeros());
  network.parameter("users", {kUsers, kSize}, zeros());
  const ToyRows rows = case_rows(0);
  for (const int bad : {-1, kItems, 1 << 30}) {
    const auto refused = [&](const char* op, const std::function<Var(const Recorder&, Ids)>& use) {
      try {
        run_forward(network, rows.batch(), [&](const Inputs& in) {
          const Ids ids = in.derive("wild", 2, [=](const Derivation&, auto out) { out[1] = bad; });
          return use({network, in}, ids);
        });
        ADD_FAILURE() << op << " took " << bad;
      } catch (const PluginError& e) {
        EXPECT_TRUE(std::string(e.what()).starts_with(std::string("op '") + op)) << e.what();
        EXPECT_NE(std::string_view(e.what()).find(std::to_string(bad)), std::string_view::npos);
      }
    };
    refused("lookup", [](const Recorder& r, Ids ids) {
      Embedding table;
      table.weight = r.p("items");
      return table(ids);
    });
    refused("select", [](const Recorder& r, Ids ids) { return select(r.x(), ids); });
    refused("pick", [](const Recorder& r, Ids ids) { return pick(r.v(), ids); });
  }
}

/// y = 2 x, and what it was told of the gradient of x.
class FirstWriter final : public Op {
 public:
  explicit FirstWriter(bool takes_it) : takes_it_(takes_it) {}
  std::string_view name() const noexcept override { return "first_writer"; }
  Shape output_shape(const OpShapes& shapes) const override { return shapes.inputs[0]; }
  bool takes_first_write() const noexcept override { return takes_it_; }
  void forward(const OpForward& c) const override {
    for (std::size_t e = 0; e < c.output.size(); ++e) c.output[e] = 2 * c.inputs[0][e];
  }
  void backward(const OpBackward& c) const override {
    const bool first = c.first_write[0] != 0;
    firsts += first ? 1 : 0;
    others += first ? 0 : 1;
    const std::span<float> diff = c.diff_inputs[0];
    for (std::size_t e = 0; e < diff.size(); ++e)
      diff[e] = (takes_it_ && first ? 0.0F : diff[e]) + 2 * c.diff_output[e];
  }
  mutable std::atomic<int> firsts = 0, others = 0;

 private:
  bool takes_it_;
};

/// A row's gradients after backward, through memory that holds no number; of the items and of the
/// rate.
struct FirstWrite {
  explicit FirstWrite(bool takes_it)
      : first(std::make_shared<FirstWriter>(takes_it)),
        second(std::make_shared<FirstWriter>(takes_it)) {
    fill_all(network, -1, 1);
    const Var x = tanh(items(Inputs(&graph).history().ids())).named("x");
    // Backward goes from the last to the first: `second` is the first to write to x.
    const Var a = call(first, x), b = call(second, x), y = a + b;
    outputs = {y.node()};
    const Plan plan(graph, {.outputs = outputs, .backward = true});
    const ToyRows rows = case_rows(0);
    Shard shard(plan, rows.size());
    shard.load(rows.batch(), {});
    shard.forward();
    std::vector<float> transient(plan.transient_per_row() * rows.size(),
                                 std::numeric_limits<float>::quiet_NaN());
    shard.clear_diffs({}, true);
    std::ranges::fill(shard.diff(y.node()), 0.5F);
    shard.backward(transient, nullptr, [&](NodeId node) {
      const auto diff = shard.diff(node);
      if (node == x.node()) of_x.assign(diff.begin(), diff.end());
    });
  }
  ToyNetwork network{{kUsers, kItems, kLength}};
  Embedding items{network.at("items"), kItems, kSize, zeros(), PaddingRow::trained};
  std::shared_ptr<FirstWriter> first, second;
  Graph graph{{.catalogue = network.catalogue(), .training = true}};
  std::vector<NodeId> outputs;
  std::vector<float> of_x;
};

TEST(OwnOps, AreToldOfTheFirstWriteIfTheyTakeIt) {
  const FirstWrite taken(true);
  EXPECT_EQ(taken.second->firsts, 1);
  EXPECT_EQ(taken.second->others, 0);
  EXPECT_EQ(taken.first->firsts, 0);
  EXPECT_EQ(taken.first->others, 1);
  EXPECT_EQ(taken.of_x, std::vector<float>(case_rows(0).size() * kLength * kSize, 2.0F));
}

TEST(OwnOps, FindZerosIfTheyDoNotTakeTheFirstWrite) {
  const FirstWrite not_taken(false);
  EXPECT_EQ(not_taken.first->firsts + not_taken.second->firsts, 0);
  EXPECT_EQ(not_taken.of_x, std::vector<float>(case_rows(0).size() * kLength * kSize, 2.0F));
}

TEST(OwnOps, IdsOutsideOfATableAreRefusedWhereABatchSharesItsItems) {
  ToyNetwork network({kUsers, kItems, kLength});
  const Embedding items(network.at("items"), kItems, kSize, ones());
  const TimeConv conv(network.at("conv"), kSize, 2, 2);
  for (const int bad : {-1, kItems, 1 << 30}) {
    network.on_loss = [&](const Inputs& in) {
      const Ids ids = in.derive("wild", 4, [=](const Derivation&, auto out) { out[1] = bad; });
      return mean(sum(conv_max_over_time(std::span(&conv, 1), items(ids), Activation::relu)));
    };
    try {
      step_over_cases(network);
      ADD_FAILURE() << "took " << bad;
    } catch (const Error& e) {
      EXPECT_NE(std::string_view(e.what()).find("id " + std::to_string(bad) + " of table"),
                std::string_view::npos)
          << e.what();
    }
  }
}

}  // namespace
}  // namespace recloom::nn
