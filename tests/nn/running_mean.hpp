#pragma once
#include <atomic>
#include <string_view>

#include "recloom/core/error.hpp"
#include "recloom/nn/op.hpp"

namespace recloom::nn {

/// y[t] = rate * the mean of x[0..t], x [time, size], rate [1]: a causal op as the author of a
/// plugin would write it.
class RunningMean final : public Op {
 public:
  std::string_view name() const noexcept override { return "running_mean"; }
  Shape output_shape(const OpShapes& shapes) const override {
    if (shapes.inputs.size() != 2 || shapes.inputs[0].rank != 2)
      throw ModelError("running_mean: wants x [time, size] and a rate [1]");
    return shapes.inputs[0];
  }
  Reach reach(std::size_t, const OpShapes&) const override { return Reach::past; }
  void forward(const OpForward& c) const override {
    const std::size_t length = length_of(c), d = c.output.size() / (c.rows * length);
    histories += c.rows;
    vectors += c.rows * length;
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t e = 0; e < d; ++e) {
        double sum = 0;
        for (std::size_t t = 0; t < length; ++t) {
          const std::size_t at = (r * length + t) * d + e;
          sum += c.inputs[0][at];
          c.output[at] = c.inputs[1][0] * static_cast<float>(sum / static_cast<double>(t + 1));
        }
      }
  }
  void backward(const OpBackward& c) const override {
    const std::size_t length = length_of(c), d = c.output.size() / (c.rows * length);
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t e = 0; e < d; ++e) {
        double sum = 0;
        for (std::size_t t = length; t-- > 0;) {
          const std::size_t at = (r * length + t) * d + e;
          const float g = c.diff_output[at];
          sum += g / static_cast<double>(t + 1);
          if (!c.diff_inputs[0].empty())
            c.diff_inputs[0][at] += c.inputs[1][0] * static_cast<float>(sum);
          if (!c.diff_inputs[1].empty()) c.diff_inputs[1][0] += g * c.output[at] / c.inputs[1][0];
        }
      }
  }

  mutable std::atomic<std::size_t> histories = 0, vectors = 0;  ///< How many it has computed.

 private:
  static std::size_t length_of(const OpContext& c) {
    return static_cast<std::size_t>(c.shapes.inputs[0].extent[0]);
  }
};

}  // namespace recloom::nn
