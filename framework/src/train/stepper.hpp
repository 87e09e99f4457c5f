#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nn/step/train_step.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/batch.hpp"

namespace recloom {

/// A named array of what is trained.
struct StateTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::span<const float> values;
};

/// What the epoch loop drives: something with parameters and an optimizer that makes steps.
class Stepper {
 public:
  virtual ~Stepper() = default;
  virtual nn::StepResult run(const Batch& rows, const nn::StepKey& key, double learning_rate,
                             RunContext& context) = 0;
  virtual std::vector<StateTensor> parameters() const = 0;
  virtual void assign_parameter(std::size_t index, std::span<const float> values) = 0;
  virtual std::vector<StateTensor> optimizer_state() const = 0;
  virtual void assign_optimizer_state(std::size_t index, std::span<const float> values) = 0;
  virtual void set_optimizer_steps(std::int64_t steps) = 0;
};

/// Steps of a network by nn::TrainStep.
RECLOOM_API std::unique_ptr<Stepper> make_network_stepper(NetworkRecommender& model,
                                                          const nn::StepOptions& options);

}  // namespace recloom
