#include "nn/ops/conv_max.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "core/scratch.hpp"
#include "kernels/gemm.hpp"
#include "kernels/vector.hpp"
#include "nn/graph/parameter_data.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

using Height = ConvMaxOverTime::Height;

/// Call body(which, height) for each height, first to last.
template <class Body>
void for_each_height(const OpShapes& shapes, Body body) {
  std::size_t first = 0;
  for (std::size_t h = 0; 1 + 2 * h < shapes.inputs.size(); ++h) {
    const Shape& weight = shapes.inputs[1 + 2 * h];
    body(h, Height{weight.extent[0], weight.extent[2], first});
    first += static_cast<std::size_t>(weight.extent[0]);
  }
}

struct Sizes {
  explicit Sizes(const OpContext& c)
      : length(c.shapes.inputs[0].extent[0]),
        d(c.shapes.inputs[0].extent[1]),
        width(count(c.output_shape)) {}
  int length, d;
  std::size_t width;
};

void forward_height(const OpForward& c, std::size_t h, const Height& height) {
  const Sizes s(c);
  const auto filters = static_cast<std::size_t>(height.filters), n = c.rows * filters;
  Scratch scratch;
  float *const map = scratch.floats(n), *const best = scratch.floats(n);
  std::int32_t* const where = scratch.take<std::int32_t>(n).data();
  const int k = height.height * s.d;
  for (int t = 0; t <= s.length - height.height; ++t) {
    kernels::gemm({.transpose_b = true,
                   .m = static_cast<std::int64_t>(c.rows),
                   .n = height.filters,
                   .k = k,
                   .a = c.inputs[0].data() + t * s.d,
                   .lda = s.length * s.d,
                   .b = c.inputs[1 + 2 * h].data(),
                   .ldb = k,
                   .c = map,
                   .ldc = height.filters});
    kernels::running_max(n, map, t, best, where);
  }
  for (std::size_t row = 0; row < c.rows; ++row)
    for (std::size_t f = 0; f < filters; ++f) {
      const std::size_t to = row * s.width + height.first + f;
      c.output[to] = best[row * filters + f] + c.inputs[2 + 2 * h][f];
      c.saved[to] = static_cast<float>(where[row * filters + f]);
    }
}

void backward_row(const OpBackward& c, const float* diff, std::size_t row, std::size_t h,
                  const Height& height) {
  const Sizes s(c);
  const auto d = static_cast<std::size_t>(s.d), length = static_cast<std::size_t>(s.length);
  const std::size_t k = static_cast<std::size_t>(height.height) * d;
  const std::span<float> dx = c.diff_inputs[0], dw = c.diff_inputs[1 + 2 * h],
                         db = c.diff_inputs[2 + 2 * h];
  for (std::size_t f = 0; f < static_cast<std::size_t>(height.filters); ++f) {
    const std::size_t at = row * s.width + height.first + f;
    const float g = diff[at];
    if (g == 0) continue;
    const std::size_t window = (row * length + static_cast<std::size_t>(c.saved[at])) * d;
    if (!dx.empty()) kernels::axpy(k, g, c.inputs[1 + 2 * h].data() + f * k, dx.data() + window);
    if (!dw.empty()) kernels::axpy(k, g, c.inputs[0].data() + window, dw.data() + f * k);
    if (!db.empty()) db[f] += g;
  }
}

}  // namespace

ConvMaxOverTime::ConvMaxOverTime(Activation f) : f_(f) {
  if (f == Activation::gelu || f == Activation::swish)
    throw ModelError(
        "conv_max_over_time: the activation must not decrease anywhere, gelu and swish do: use "
        "max_over_time(activate(conv(x), f))");
}

Shape ConvMaxOverTime::output_shape(const OpShapes& shapes) const {
  const Shape& x = shapes.inputs[0];
  if (x.rank != 2)
    throw ModelError(fmt::format("conv_max_over_time: shape {} is not [time, size]", to_text(x)));
  require_nameable(x.extent[0], "conv_max_over_time");
  std::size_t width = 0;
  for_each_height(shapes, [&](std::size_t h, const Height& height) {
    const Shape& weight = shapes.inputs[1 + 2 * h];
    if (weight.extent[2] > x.extent[0] || weight.extent[3] != x.extent[1])
      throw ModelError(fmt::format("conv_max_over_time: input {} does not fit weight {}",
                                   to_text(x), to_text(weight)));
    width += static_cast<std::size_t>(height.filters);
  });
  return {to_extent(width)};
}

std::size_t ConvMaxOverTime::saved_size(const OpShapes& shapes) const {
  return count(output_shape(shapes));
}

std::vector<Height> ConvMaxOverTime::heights(const OpShapes& shapes) {
  std::vector<Height> all;
  for_each_height(shapes, [&](std::size_t, const Height& height) { all.push_back(height); });
  return all;
}

double ConvMaxOverTime::flops(const OpShapes& shapes) const {
  const Shape& x = shapes.inputs[0];
  double flops = 0;
  for_each_height(shapes, [&](std::size_t, const Height& h) {
    flops += 2.0 * h.filters * h.height * x.extent[1] * (x.extent[0] - h.height + 1);
  });
  return flops;
}

void ConvMaxOverTime::activate(std::span<float> x) const {
  if (f_ == Activation::relu) kernels::relu(x.size(), x.data(), x.data());
  if (f_ == Activation::tanh) kernels::tanh(x.size(), x.data(), x.data());
  if (f_ == Activation::sigmoid) kernels::sigmoid(x.size(), x.data(), x.data());
}

void ConvMaxOverTime::times_slope(std::span<const float> y, std::span<const float> dy,
                                  std::span<float> dx) const {
  const auto each = [&](auto slope) {
    for (std::size_t e = 0; e < y.size(); ++e) dx[e] = dy[e] * slope(y[e]);
  };
  switch (f_) {
    case Activation::relu:
      return each([](float v) { return v > 0 ? 1.0F : 0.0F; });
    case Activation::tanh:
      return each([](float v) { return 1 - v * v; });
    case Activation::sigmoid:
      return each([](float v) { return v * (1 - v); });
    default:
      return each([](float) { return 1.0F; });
  }
}

void ConvMaxOverTime::forward(const OpForward& c) const {
  for_each_height(c.shapes,
                  [&](std::size_t h, const Height& height) { forward_height(c, h, height); });
  activate(c.output);
}

void ConvMaxOverTime::backward(const OpBackward& c) const {
  Scratch scratch;
  const std::span<float> diff = scratch.take(c.output.size());
  times_slope(c.output, c.diff_output, diff);
  for (std::size_t row = 0; row < c.rows; ++row)
    for_each_height(c.shapes, [&](std::size_t h, const Height& height) {
      backward_row(c, diff.data(), row, h, height);
    });
}

}  // namespace recloom::nn
