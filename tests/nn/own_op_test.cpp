#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "nn/op_check.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/op.hpp"

namespace recloom::nn {
namespace {

/// y = sum over time of rate^(age) x[t] where an id is not 0: uses a row tensor, ids, a parameter
/// and saved floats.
class DecaySum final : public Op {
 public:
  std::string_view name() const noexcept override { return "decay_sum"; }
  Shape output_shape(std::span<const Shape> inputs) const override {
    if (inputs.size() != 2 || inputs[0].rank != 2 || inputs[1].last() != 1)
      throw ModelError("decay_sum: wants x [time, size] and a rate [1]");
    return {inputs[0].extent[1]};
  }
  std::size_t saved_size(std::span<const Shape> inputs) const override {
    return static_cast<std::size_t>(inputs[0].extent[0]);
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
          const float g = c.output_gradient[r * d + e];
          if (!c.input_gradients[0].empty()) c.input_gradients[0][at] += c.saved[at / d] * g;
          if (!c.input_gradients[1].empty())
            c.input_gradients[1][0] +=
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

}  // namespace
}  // namespace recloom::nn
