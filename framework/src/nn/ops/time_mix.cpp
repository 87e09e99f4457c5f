#include "nn/ops/time_mix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "kernels/vector.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

struct Sizes {
  explicit Sizes(const OpContext& c)
      : length(static_cast<std::size_t>(c.shapes.inputs[0].extent[0])),
        filters(static_cast<std::size_t>(c.output_shape.extent[0])),
        d(static_cast<std::size_t>(c.output_shape.extent[1])) {}
  std::size_t length, filters, d;
};

}  // namespace

Shape TimeMixOp::output_shape(const OpShapes& shapes) const {
  const Shape &x = shapes.inputs[0], &weight = shapes.inputs[1];
  if (x.rank != 2)
    throw ModelError(fmt::format("time_mix: shape {} is not [time, size]", to_text(x)));
  if (weight.extent[2] != x.extent[0])
    throw ModelError(
        fmt::format("time_mix: input {} does not fit weight {}", to_text(x), to_text(weight)));
  return {weight.extent[0], x.extent[1]};
}

double TimeMixOp::flops(const OpShapes& shapes) const {
  return 2.0 * static_cast<double>(count(shapes.inputs[0])) * shapes.inputs[1].extent[0];
}

void TimeMixOp::forward(const OpForward& c) const {
  const auto [length, filters, d] = Sizes(c);
  for (std::size_t r = 0; r < c.rows; ++r)
    for (std::size_t f = 0; f < filters; ++f) {
      float* y = c.output.data() + (r * filters + f) * d;
      std::fill_n(y, d, c.inputs[2][f]);
      for (std::size_t t = 0; t < length; ++t)
        kernels::axpy(d, c.inputs[1][f * length + t], c.inputs[0].data() + (r * length + t) * d, y);
    }
}

void TimeMixOp::backward(const OpBackward& c) const {
  const auto [length, filters, d] = Sizes(c);
  const bool dx = !c.diff_inputs[0].empty(), dw = !c.diff_inputs[1].empty(),
             db = !c.diff_inputs[2].empty();
  for (std::size_t r = 0; r < c.rows; ++r)
    for (std::size_t f = 0; f < filters; ++f) {
      const float* dy = c.diff_output.data() + (r * filters + f) * d;
      for (std::size_t t = 0; t < length; ++t) {
        const std::size_t at = (r * length + t) * d;
        if (dx) kernels::axpy(d, c.inputs[1][f * length + t], dy, c.diff_inputs[0].data() + at);
        if (dw) c.diff_inputs[1][f * length + t] += kernels::dot(d, c.inputs[0].data() + at, dy);
      }
      if (db) c.diff_inputs[2][f] += static_cast<float>(kernels::sum(d, dy));
    }
}

Var time_mix(Var x, Parameter weight, Parameter bias) {
  return call(std::make_shared<TimeMixOp>(), x, weight, bias);
}

}  // namespace recloom::nn
