#pragma once
#include <atomic>
#include <memory>
#include <span>
#include <string_view>

#include "recloom/core/error.hpp"
#include "recloom/nn/op.hpp"

namespace recloom::nn {

/// y[t] = rate * the mean of x[0..t], x [time, size], rate [1]: a causal op as the author of a
/// plugin would write it.
class RunningMean final : public Op {
 public:
  explicit RunningMean(int length) : length_(static_cast<std::size_t>(length)) {}
  std::string_view name() const noexcept override { return "running_mean"; }
  Shape output_shape(std::span<const Shape> inputs) const override {
    if (inputs.size() != 2 || inputs[0].rank != 2)
      throw ModelError("running_mean: wants x [time, size] and a rate [1]");
    return inputs[0];
  }
  Reach reach(std::size_t, std::span<const Shape>) const override { return Reach::past; }
  void forward(const OpForward& c) const override {
    vectors += c.rows * length_;
    const std::size_t d = c.output.size() / (c.rows * length_);
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t e = 0; e < d; ++e) {
        double sum = 0;
        for (std::size_t t = 0; t < length_; ++t) {
          const std::size_t at = (r * length_ + t) * d + e;
          sum += c.inputs[0][at];
          c.output[at] = c.inputs[1][0] * static_cast<float>(sum / static_cast<double>(t + 1));
        }
      }
  }
  void backward(const OpBackward& c) const override {
    const std::size_t d = c.output.size() / (c.rows * length_);
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t e = 0; e < d; ++e) {
        double sum = 0;
        for (std::size_t t = length_; t-- > 0;) {
          const std::size_t at = (r * length_ + t) * d + e;
          const float g = c.output_gradient[at];
          sum += g / static_cast<double>(t + 1);
          if (!c.input_gradients[0].empty())
            c.input_gradients[0][at] += c.inputs[1][0] * static_cast<float>(sum);
          if (!c.input_gradients[1].empty())
            c.input_gradients[1][0] += g * c.output[at] / c.inputs[1][0];
        }
      }
  }

  mutable std::atomic<std::size_t> vectors = 0;  ///< How many it has computed, for tests.

 private:
  std::size_t length_;
};

}  // namespace recloom::nn
