#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "train/stepper.hpp"

namespace recloom::testing {

/// Something trainable whose every step can be followed by hand: momentum descent on "w" along a
/// direction that the rows, the epoch and the step decide. The loss of a row is its id.
class FakeStepper final : public Stepper {
 public:
  std::vector<float> w = {1, -2, 3, 0.5F};
  std::vector<float> table = {1, 2, 3, 4, 5, 6};
  std::vector<float> momentum = {0, 0, 0, 0};
  std::int64_t optimizer_steps = 0;
  std::vector<double> learning_rates;
  std::function<void(std::int64_t step)> before_step;  ///< May throw or request a stop.

  nn::StepResult run(const Batch& rows, const nn::StepKey& key, double learning_rate,
                     RunContext&) override {
    if (before_step) before_step(key.step);
    learning_rates.push_back(learning_rate);
    ++optimizer_steps;
    nn::StepResult result;
    double direction = 0;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const Row r = rows[row];
      result.loss += static_cast<double>(r.id) / static_cast<double>(rows.size());
      direction += std::sin(static_cast<double>(r.id + r.user) * static_cast<double>(row + 1) +
                            static_cast<double>(key.epoch) + static_cast<double>(key.step));
    }
    result.penalty = 2;
    const auto bias_correction = static_cast<float>(1 - std::pow(0.9, optimizer_steps));
    for (std::size_t index = 0; index < w.size(); ++index) {
      momentum[index] = 0.9F * momentum[index] + static_cast<float>(direction) * w[index] * 0.01F;
      w[index] -= static_cast<float>(learning_rate) * momentum[index] / bias_correction;
    }
    table[rows.size() % table.size()] += w[0];
    return result;
  }

  std::vector<StateTensor> parameters() const override {
    return {{"w", {4}, w}, {"table", {2, 3}, table}};
  }
  void assign_parameter(std::size_t index, std::span<const float> values) override {
    std::ranges::copy(values, (index == 0 ? w : table).begin());
  }
  std::vector<StateTensor> optimizer_state() const override {
    return {{"w.momentum", {4}, momentum}};
  }
  void assign_optimizer_state(std::size_t, std::span<const float> values) override {
    std::ranges::copy(values, momentum.begin());
  }
  void set_optimizer_steps(std::int64_t steps) override { optimizer_steps = steps; }
};

}  // namespace recloom::testing
