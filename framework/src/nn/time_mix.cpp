#include "nn/time_mix.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/vector.hpp"
#include "nn/parameter_data.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {

TimeMixOp::TimeMixOp(const Shape& x, const Shape& weight) {
  if (x.rank != 2)
    throw ModelError(fmt::format("time_mix: shape {} is not [time, size]", to_text(x)));
  if (weight.extent[2] != x.extent[0])
    throw ModelError(
        fmt::format("time_mix: input {} does not fit weight {}", to_text(x), to_text(weight)));
  length_ = static_cast<std::size_t>(x.extent[0]);
  d_ = static_cast<std::size_t>(x.extent[1]);
  filters_ = static_cast<std::size_t>(weight.extent[0]);
}

void TimeMixOp::forward(const OpForward& c) const {
  for (std::size_t r = 0; r < c.rows; ++r)
    for (std::size_t f = 0; f < filters_; ++f) {
      float* y = c.output.data() + (r * filters_ + f) * d_;
      std::fill_n(y, d_, c.inputs[2][f]);
      for (std::size_t t = 0; t < length_; ++t)
        kernels::axpy(d_, c.inputs[1][f * length_ + t], c.inputs[0].data() + (r * length_ + t) * d_,
                      y);
    }
}

void TimeMixOp::backward(const OpBackward& c) const {
  const bool dx = !c.input_gradients[0].empty(), dw = !c.input_gradients[1].empty(),
             db = !c.input_gradients[2].empty();
  for (std::size_t r = 0; r < c.rows; ++r)
    for (std::size_t f = 0; f < filters_; ++f) {
      const float* dy = c.output_gradient.data() + (r * filters_ + f) * d_;
      for (std::size_t t = 0; t < length_; ++t) {
        const std::size_t at = (r * length_ + t) * d_;
        if (dx)
          kernels::axpy(d_, c.inputs[1][f * length_ + t], dy, c.input_gradients[0].data() + at);
        if (dw)
          c.input_gradients[1][f * length_ + t] += kernels::dot(d_, c.inputs[0].data() + at, dy);
      }
      if (db) c.input_gradients[2][f] += static_cast<float>(kernels::sum(d_, dy));
    }
}

}  // namespace recloom::nn
