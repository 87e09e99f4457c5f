// What a step does when numbers stop being finite, and what recording refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "nn/step/train_step.hpp"
#include "nn/toy_network.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/op.hpp"

namespace recloom::nn {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr Catalogue kCatalogue{5, 12, 4};
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// An op of a plugin that breaks in one row of the data set.
class Broken final : public Op {
 public:
  Broken(std::int64_t row, bool in_backward) : row_(row), in_backward_(in_backward) {}
  std::string_view name() const noexcept override { return "broken"; }
  Shape output_shape(const OpShapes& shapes) const override { return shapes.inputs[0]; }
  void forward(const OpForward& c) const override {
    std::copy(c.inputs[0].begin(), c.inputs[0].end(), c.output.begin());
    if (!in_backward_) spoil(c, c.output);
  }
  void backward(const OpBackward& c) const override {
    for (std::size_t e = 0; e < c.output.size(); ++e) c.diff_inputs[0][e] += c.diff_output[e];
    if (in_backward_) spoil(c, c.diff_inputs[0]);
  }

 private:
  void spoil(const OpContext& c, std::span<float> x) const {
    for (std::size_t r = 0; r < c.rows; ++r)
      if (c.row_ids[r] == row_) x[r * (x.size() / c.rows)] = kNaN;
  }
  std::int64_t row_;
  bool in_backward_;
};

struct Fixture {
  ToyNetwork network{kCatalogue};
  Embedding items{network.at("items"), kCatalogue.n_items, 4, normal(1)},
      users{network.at("users"), kCatalogue.n_users, 4, normal(1), PaddingRow::trained};
  ToyRows rows = random_rows(kCatalogue, 9);
  RunContext run{1, 2};
  StepOptions options;

  Fixture() {
    network.parameters().initialise(1);
    network.head = {{items.weight}};
    network.on_forward = [this](const Inputs& in) {
      return sum_over_time(items(in.history().ids())) + users(in.user());
    };
    options.batch_size = 9;
    options.shard_rows = 4;
  }
  /// The message of a step that must fail and leave every parameter as it was.
  std::string failure(TrainStep& step, double rate = 0.125) {
    const std::vector<float> before = snapshot(network);
    std::string text = "no error";
    try {
      step.run(rows.batch(), {1, 3, 17}, rate, run);
    } catch (const NumericError& e) {
      text = e.what();
    }
    const std::vector<float> after = snapshot(network);
    EXPECT_EQ(std::memcmp(before.data(), after.data(), before.size() * sizeof(float)), 0);
    return text;
  }
  std::string failure() {
    TrainStep step(network, options);
    return failure(step);
  }
  /// An element of the user table that a row looks at.
  std::size_t used() const { return 4 * static_cast<std::size_t>(rows.batch()[0].user); }
  void spoil(Parameter p, std::size_t element, float value) {
    std::vector<float> values(p.values().begin(), p.values().end());
    values[element] = value;
    p.assign(values);
  }
};

TEST(NumericErrors, NaNInAParameterNamesItStepAndRate) {
  for (const float value : {kNaN, std::numeric_limits<float>::infinity()}) {
    Fixture f;
    f.spoil(f.users.weight, f.used(), value);
    EXPECT_EQ(f.failure(),
              "step 17 of epoch 3: parameter 'users.weight' is not finite (learning rate 0.125)");
  }
}

TEST(NumericErrors, NaNInAnOwnOpNamesOpAndRow) {
  Fixture f;
  const std::int64_t row = f.rows.batch()[6].id;  // the third row of the second shard
  f.network.on_forward = [&](const Inputs& in) {
    const Var x = f.users(in.user());
    return call(std::make_shared<Broken>(row, false), x).named("mine");
  };
  EXPECT_EQ(f.failure(),
            "step 17 of epoch 3: op 'mine' [4] holds nan in row 2 of its shard "
            "(learning rate 0.125)");
}

TEST(NumericErrors, NaNInABackwardPassNamesTheGradient) {
  Fixture f;
  const std::int64_t row = f.rows.batch()[1].id;
  f.network.on_forward = [&](const Inputs& in) {
    const Var x = f.users(in.user()).named("people");
    return call(std::make_shared<Broken>(row, true), x);
  };
  EXPECT_EQ(f.failure(),
            "step 17 of epoch 3: gradient of op 'people' [4] holds nan in row 1 of its shard "
            "(learning rate 0.125)");
}

TEST(NumericErrors, FirstOpThatOverflowsIsNamed) {
  Fixture f;
  f.network.on_forward = [&](const Inputs& in) {
    const Var x = f.users(in.user());
    return tanh(exp(exp(exp(x + 3.0).named("large")).named("larger")).named("largest")) + x;
  };
  f.network.on_loss = [&](const Inputs& in) { return mean(sum(log(f.network.forward(in)))); };
  EXPECT_THAT(f.failure(), AllOf(HasSubstr("op 'large"), HasSubstr("holds inf")));
}

TEST(NumericErrors, HugeLearningRateOverflowsAndSaysSo) {
  Fixture f;
  f.options.optimizer.kind = OptimizerKind::sgd;
  TrainStep step(f.network, f.options);
  std::string text;
  for (int s = 0; s < 6 && text.empty(); ++s) try {
      step.run(f.rows.batch(), {1, 1, s}, 1e30, f.run);
    } catch (const NumericError& e) {
      text = e.what();
    }
  EXPECT_THAT(text, AllOf(HasSubstr("of epoch 1"), HasSubstr("(learning rate 1e+30)")));
}

TEST(NumericErrors, OverflowOfTheNormAloneIsNamed) {
  Fixture f;
  f.network.on_loss = [&](const Inputs& in) { return 1e30 * mean(sum(f.users(in.user()))); };
  TrainStep step(f.network, f.options);
  EXPECT_NO_THROW(step.run(f.rows.batch(), {}, 1e-3, f.run));  // squares of 1e30 fit a double
}

TEST(NumericErrors, ATrainingThatFailedGoesOnFromRepairedParameters) {
  Fixture f;
  TrainStep step(f.network, f.options);
  const float good = f.users.weight.values()[f.used()];
  f.spoil(f.users.weight, f.used(), kNaN);
  EXPECT_THAT(f.failure(step), HasSubstr("users.weight"));
  f.spoil(f.users.weight, f.used(), good);
  Fixture other;
  TrainStep fresh(other.network, other.options);
  EXPECT_EQ(step.run(f.rows.batch(), {}, 0.1, f.run).loss,
            fresh.run(other.rows.batch(), {}, 0.1, other.run).loss);
  EXPECT_EQ(snapshot(f.network), snapshot(other.network));
}

// --- what recording refuses

std::string refusal(Fixture& f, std::function<Loss(const Inputs&)> loss) {
  f.network.on_loss = std::move(loss);
  try {
    TrainStep step(f.network, f.options);
  } catch (const ModelError& e) {
    return e.what();
  }
  return "no error";
}

TEST(Recording, ATableScoredByTwoLossesIsRefused) {
  Fixture f;
  EXPECT_EQ(refusal(f,
                    [&](const Inputs& in) {
                      const Var q = f.users(in.user());
                      return in.loss(q, f.network.head) + in.loss(2 * q, f.network.head);
                    }),
            "item head: table 'items.weight' is scored by two losses over all items, one is "
            "possible");
}

TEST(Recording, TwoLossesOverOwnTablesAddUp) {
  Fixture f;
  const Embedding second(f.network.at("second"), kCatalogue.n_items, 4, normal(1));
  fill_all(f.network, -1, 1);
  const auto loss = [&](bool a, bool b) {
    f.network.on_loss = [&, a, b](const Inputs& in) {
      const Var q = f.users(in.user());
      Loss sum;
      if (a) sum += in.loss(q, f.network.head);
      if (b) sum += 0.5 * in.loss(q, {{second.weight}});
      return sum;
    };
    TrainStep step(f.network, f.options);
    const double value = step.compute_gradients(f.rows.batch(), {}, f.run).loss;
    const auto gradient = step.gradient("users.weight");
    return std::pair(value, std::vector<float>(gradient.begin(), gradient.end()));
  };
  const auto first = loss(true, false), other = loss(false, true), both = loss(true, true);
  EXPECT_NEAR(both.first, first.first + other.first, 1e-6);
  for (std::size_t e = 0; e < both.second.size(); ++e)
    EXPECT_NEAR(both.second[e], first.second[e] + other.second[e], 1e-6);
}

TEST(Recording, LossOverAllItemsUsedByAnOpIsRefused) {
  Fixture f;
  EXPECT_EQ(refusal(f,
                    [&](const Inputs& in) {
                      const Loss loss = in.loss(f.users(in.user()), f.network.head);
                      return mean(2 * loss.terms().front().value);
                    }),
            "op scale: the loss over all items is known only after the whole batch, no op can use "
            "it");
}

TEST(Recording, ShapesThatDoNotFitNameOpAndShapes) {
  Fixture f;
  EXPECT_EQ(refusal(f,
                    [&](const Inputs& in) {
                      return mean(sum(f.users(in.user()) + slice(f.users(in.user()), 0, 3)));
                    }),
            "add: shapes [4] and [3] do not fit");
}

TEST(Recording, BothPaddingsAreRefused) {
  Fixture f;
  EXPECT_EQ(refusal(f,
                    [&](const Inputs& in) {
                      const Var left = sum_over_time(f.items(in.history(Padding::left).ids()));
                      return mean(sum(left * sum_over_time(f.items(in.history().ids()))));
                    }),
            "history: a model pads on one side only, this one asks for both");
}

TEST(Recording, UnknownLossIsRefused) {
  Fixture f;
  f.options.loss = "HINGE";
  EXPECT_THROW(TrainStep(f.network, f.options), ConfigError);
}

}  // namespace
}  // namespace recloom::nn
