#include "nn/ops/time_mix.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <numeric>
#include <span>

#include "core/scratch.hpp"
#include "kernels/item_mix.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

/// Every position of every row is an item of its own.
kernels::MixRows mix_rows(const OpContext& c, std::span<const float> x,
                          std::span<const float> weight, Scratch& scratch) {
  const auto length = static_cast<std::size_t>(c.shapes.inputs[0].extent[0]);
  const std::span<std::int32_t> slots = scratch.take<std::int32_t>(c.rows * length);
  std::iota(slots.begin(), slots.end(), 0);
  const std::span<std::size_t> row_slots = scratch.take<std::size_t>(c.rows);
  for (std::size_t row = 0; row < c.rows; ++row) row_slots[row] = row * length;
  return {.rows = c.rows,
          .slots = slots.data(),
          .row_slots = row_slots.data(),
          .length = length,
          .filters = static_cast<std::size_t>(c.output_shape.extent[0]),
          .columns = static_cast<std::size_t>(c.output_shape.extent[1]),
          .vectors = x.data(),
          .weight = weight.data()};
}

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
  Scratch scratch;
  kernels::mix_forward(mix_rows(c, c.inputs[0], c.inputs[1], scratch), c.inputs[2].data(),
                       c.output.data());
}

void TimeMixOp::backward(const OpBackward& c) const {
  Scratch scratch;
  const kernels::MixRows rows = mix_rows(c, c.inputs[0], c.inputs[1], scratch);
  // What nobody asks for is added to memory that nobody reads.
  const auto destination = [&](std::size_t input) {
    const std::span<float> diff = c.diff_inputs[input];
    return diff.empty() ? scratch.zeros(c.inputs[input].size()) : diff.data();
  };
  kernels::mix_backward(rows, c.diff_output.data(), destination(0), destination(1), destination(2));
}

Var time_mix(Var x, Parameter weight, Parameter bias) {
  return call(std::make_shared<TimeMixOp>(), x, weight, bias);
}

}  // namespace recloom::nn
