#include <algorithm>

#include "nn/optim/optimizer.hpp"
#include "recloom/nn/parameters.hpp"
#include "train/stepper.hpp"

namespace recloom {
namespace {

class NetworkStepper final : public Stepper {
 public:
  NetworkStepper(NetworkRecommender& model, const nn::StepOptions& options)
      : model_(model), step_(model, options) {}

  nn::StepResult run(const Batch& rows, const nn::StepKey& key, double learning_rate,
                     RunContext& context) override {
    return step_.run(rows, key, learning_rate, context);
  }

  std::vector<StateTensor> parameters() const override {
    std::vector<StateTensor> tensors;
    for (std::size_t index = 0; index < model_.parameters().size(); ++index) {
      const nn::Parameter parameter = model_.parameters()[index];
      const nn::Shape& shape = parameter.shape();
      tensors.push_back({std::string(parameter.name()),
                         {shape.extent, shape.extent + shape.rank},
                         parameter.values()});
    }
    return tensors;
  }

  void assign_parameter(std::size_t index, std::span<const float> values) override {
    model_.parameters()[index].assign(values);
  }

  std::vector<StateTensor> optimizer_state() const override {
    std::vector<StateTensor> tensors;
    for (const nn::OptimizerTensor& tensor : step_.optimizer().state()) {
      tensors.push_back(
          {tensor.name, {static_cast<std::int64_t>(tensor.values.size())}, tensor.values});
    }
    return tensors;
  }

  void assign_optimizer_state(std::size_t index, std::span<const float> values) override {
    std::ranges::copy(values, step_.optimizer().state()[index].values.begin());
  }

  void set_optimizer_steps(std::int64_t steps) override { step_.optimizer().set_steps(steps); }

 private:
  NetworkRecommender& model_;
  mutable nn::TrainStep step_;  // optimizer() has no const form
};

}  // namespace

std::unique_ptr<Stepper> make_network_stepper(NetworkRecommender& model,
                                              const nn::StepOptions& options) {
  return std::make_unique<NetworkStepper>(model, options);
}

}  // namespace recloom
