#include "nn/optim/optimizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "kernels/isa.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

constexpr std::size_t kSize = 67;

std::vector<float> numbers(double frequency) {
  std::vector<float> values(kSize);
  for (std::size_t i = 0; i < kSize; ++i)
    values[i] = static_cast<float>(std::sin(frequency * static_cast<double>(i + 1)));
  return values;
}

OptimizerOptions with(OptimizerKind kind, const std::function<void(OptimizerOptions&)>& set = {}) {
  OptimizerOptions options;
  options.kind = kind;
  if (set) set(options);
  return options;
}

std::vector<OptimizerOptions> all_kinds() {
  return {with(OptimizerKind::adam, [](auto& o) { o.weight_decay = 0.01; }),
          with(OptimizerKind::adamw, [](auto& o) { o.weight_decay = 0.01; }),
          with(OptimizerKind::sgd),
          with(OptimizerKind::sgd, [](auto& o) { o.momentum = 0.9, o.nesterov = true; }),
          with(OptimizerKind::adagrad, [](auto& o) { o.initial_accumulator = 0.5; }),
          with(OptimizerKind::rmsprop, [](auto& o) { o.momentum = 0.5, o.centered = true; }),
          with(OptimizerKind::sparse_adam)};
}

/// Values after four steps, updated in pieces of `piece` elements from the last one to the first.
std::vector<float> train(const OptimizerOptions& options, std::size_t piece) {
  std::vector<float> values = numbers(0.7);
  Optimizer optimizer(options, {{"w", values, 1}});
  for (int step = 0; step < 4; ++step) {
    const std::vector<float> gradient = numbers(1.3 + step);
    optimizer.begin_step(0.01);
    for (std::size_t left = kSize; left > 0;) {
      const std::size_t count = left % piece != 0 ? left % piece : piece;
      left -= count;
      optimizer.update(0, left, std::span(gradient).subspan(left, count), 0.5F);
    }
  }
  return values;
}

TEST(Optimizer, BitsDoNotDependOnHowTensorsAreCut) {
  for (const OptimizerOptions& options : all_kinds())
    for (const std::size_t piece : {1u, 3u, 8u, 20u})
      EXPECT_EQ(train(options, piece), train(options, kSize)) << static_cast<int>(options.kind);
}

TEST(Optimizer, EveryInstructionSetAgrees) {
  for (const OptimizerOptions& options : all_kinds()) {
    const std::vector<float> best = train(options, kSize);
    for (const kernels::Isa level : kernels::supported_isas()) {
      const kernels::ScopedIsa use(level);
      const std::vector<float> values = train(options, kSize);
      // Fused multiplications round once less; four steps of at most 0.1.
      for (std::size_t i = 0; i < kSize; ++i) ASSERT_NEAR(values[i], best[i], 1e-6);
    }
  }
}

TEST(Optimizer, ContinuesFromItsState) {
  for (const OptimizerOptions& options : all_kinds()) {
    const std::vector<float> gradient = numbers(2.1);
    const auto steps = [&](Optimizer& optimizer, int count) {
      for (int step = 0; step < count; ++step) {
        optimizer.begin_step(0.01);
        optimizer.update(0, 0, gradient, 1);
      }
    };
    std::vector<float> straight = numbers(0.7);
    Optimizer uninterrupted(options, {{"w", straight, 1}});
    steps(uninterrupted, 3);

    std::vector<float> values = numbers(0.7);
    Optimizer before(options, {{"w", values, 1}});
    steps(before, 1);
    Optimizer after(options, {{"w", values, 1}});
    const auto saved = before.state(), target = after.state();
    ASSERT_EQ(saved.size(), target.size());
    for (std::size_t i = 0; i < saved.size(); ++i) {
      EXPECT_EQ(saved[i].name, target[i].name);
      std::copy(saved[i].values.begin(), saved[i].values.end(), target[i].values.begin());
    }
    after.set_steps(before.steps());
    steps(after, 2);
    EXPECT_EQ(values, straight) << static_cast<int>(options.kind);
  }
}

TEST(Optimizer, NamesItsState) {
  std::vector<float> values(6);
  const auto names = [&](const OptimizerOptions& options) {
    Optimizer optimizer(options, {{"item.weight", values, 3}});
    std::string all;
    for (const OptimizerTensor& t : optimizer.state()) {
      EXPECT_EQ(t.values.size(), values.size());
      EXPECT_EQ(t.columns, 3u);
      all += t.name + " ";
    }
    return all;
  };
  EXPECT_EQ(names(with(OptimizerKind::adam)), "item.weight.exp_avg item.weight.exp_avg_sq ");
  EXPECT_EQ(names(with(OptimizerKind::sgd)), "");
  EXPECT_EQ(names(with(OptimizerKind::adagrad)), "item.weight.sum ");
  EXPECT_EQ(names(with(OptimizerKind::rmsprop, [](auto& o) { o.momentum = 0.5; })),
            "item.weight.square_avg item.weight.momentum_buffer ");
}

// Worked out by hand: m = 0.1, v = 0.001, both corrected to 1, so p moves by the rate.
TEST(Optimizer, FirstStepOfAdamIsTheRate) {
  std::vector<float> values{1, 1};
  Optimizer optimizer({}, {{"w", values, 1}});
  optimizer.begin_step(0.125);
  optimizer.update(0, 0, std::vector<float>{1, -3}, 1);
  EXPECT_NEAR(values[0], 0.875, 1e-6);
  EXPECT_NEAR(values[1], 1.125, 1e-6);
}

TEST(Optimizer, SparseAdamLeavesOtherRowsAlone) {
  std::vector<float> values(6, 1.0F);
  Optimizer optimizer(with(OptimizerKind::sparse_adam), {{"w", values, 2}});
  EXPECT_TRUE(optimizer.sparse());
  for (int step = 0; step < 2; ++step) {
    optimizer.begin_step(0.125);
    optimizer.update_row(0, step == 0 ? 1 : 2, std::vector<float>{1, 1}, 1);
  }
  EXPECT_EQ(values[0], 1.0F);
  EXPECT_NEAR(values[2], 0.875, 1e-6);
  // Step 2: m = 0.1, v = 0.001; p -= 0.125 sqrt(1 - 0.999^2) / (1 - 0.9^2) * 0.1 / sqrt(0.001).
  EXPECT_NEAR(values[4], 1 - 0.125 * std::sqrt(0.001999) / 0.19 * 0.1 / std::sqrt(0.001), 1e-6);
}

TEST(Optimizer, GradientScaleIsAppliedBeforeWeightDecay) {
  std::vector<float> values{2};
  Optimizer optimizer(with(OptimizerKind::sgd, [](auto& o) { o.weight_decay = 0.5; }),
                      {{"w", values, 1}});
  optimizer.begin_step(0.25);
  optimizer.update(0, 0, std::vector<float>{8}, 0.125F);
  EXPECT_EQ(values[0], 2 - 0.25F * (1 + 1));
}

TEST(Optimizer, NanInAGradientReachesTheParameter) {
  for (const OptimizerOptions& options : all_kinds()) {
    std::vector<float> values{1, 1};
    Optimizer optimizer(options, {{"w", values, 1}});
    optimizer.begin_step(0.1);
    optimizer.update(0, 0, std::vector<float>{std::numeric_limits<float>::quiet_NaN(), 1}, 1);
    EXPECT_TRUE(std::isnan(values[0]));
    EXPECT_FALSE(std::isnan(values[1]));
  }
}

TEST(Optimizer, RefusesOptionsOutOfRange) {
  const auto refused = [](const OptimizerOptions& options) {
    try {
      Optimizer optimizer(options, {});
      return std::string();
    } catch (const ConfigError& e) {
      return std::string(e.what());
    }
  };
  using enum OptimizerKind;
  EXPECT_EQ(refused(with(adam, [](auto& o) { o.weight_decay = -1; })),
            "optimizer: weight_decay is -1, must be 0 or more");
  EXPECT_EQ(refused(with(sparse_adam, [](auto& o) { o.weight_decay = 0.1; })),
            "optimizer: weight_decay of sparse_adam is 0.1, must be 0");
  EXPECT_EQ(refused(with(adam, [](auto& o) { o.beta2 = 1; })),
            "optimizer: beta2 is 1, must be at least 0 and below 1");
  EXPECT_NE(refused(with(adam, [](auto& o) { o.epsilon = std::nan(""); })), "");
  EXPECT_EQ(refused(with(sgd, [](auto& o) { o.nesterov = true; })),
            "optimizer: nesterov needs a momentum above 0");
}

TEST(Optimizer, RefusesRangesOutsideATensor) {
  std::vector<float> values(4);
  Optimizer optimizer({}, {{"w", values, 2}});
  optimizer.begin_step(0.1);
  const std::vector<float> gradient(3);
  EXPECT_THROW(optimizer.update(0, 2, gradient, 1), InternalError);
  EXPECT_THROW(optimizer.update(1, 0, gradient, 1), InternalError);
}

TEST(ClipScale, IsPyTorchs) {
  EXPECT_EQ(clip_scale(10, 0), 1);
  EXPECT_EQ(clip_scale(0.5, 1), 1);
  EXPECT_DOUBLE_EQ(clip_scale(4, 1), 1 / (4 + 1e-6));
  EXPECT_EQ(clip_scale(0, 1), 1);
}

}  // namespace
}  // namespace recloom::nn
