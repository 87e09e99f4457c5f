#include "nn/conv_max.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/aligned.hpp"
#include "kernels/gemm.hpp"
#include "kernels/vector.hpp"
#include "nn/parameter_data.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {

ConvMaxOverTime::ConvMaxOverTime(const Shape& x, std::span<const TimeConv> convs, Activation f)
    : f_(f) {
  if (x.rank != 2)
    throw ModelError(fmt::format("conv_max_over_time: shape {} is not [time, size]", to_text(x)));
  length_ = x.extent[0];
  require_nameable(length_, "conv_max_over_time");
  d_ = x.extent[1];
  if (f == Activation::gelu || f == Activation::swish)
    throw ModelError(
        "conv_max_over_time: the activation must not decrease anywhere, gelu and swish do: use "
        "max_over_time(activate(conv(x), f))");
  for (const TimeConv& conv : convs) {
    const Shape& weight = conv.weight.shape();
    if (weight.extent[2] > length_ || weight.extent[3] != d_)
      throw ModelError(fmt::format("conv_max_over_time: input {} does not fit weight {}",
                                   to_text(x), to_text(weight)));
    heights_.push_back({weight.extent[0], weight.extent[2], width_});
    width_ += static_cast<std::size_t>(weight.extent[0]);
  }
}

double ConvMaxOverTime::flops(std::span<const Shape>) const {
  double flops = 0;
  for (const Height& h : heights_)
    flops += 2.0 * h.filters * h.height * d_ * (length_ - h.height + 1);
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
  for (std::size_t h = 0; h < heights_.size(); ++h) forward_height(c, h);
  activate(c.output);
}

void ConvMaxOverTime::backward(const OpBackward& c) const {
  thread_local AlignedFloats diff;
  if (diff.size() < c.output.size()) diff.resize(c.output.size());
  times_slope(c.output, c.output_gradient, {diff.data(), c.output.size()});
  for (std::size_t row = 0; row < c.rows; ++row)
    for (std::size_t h = 0; h < heights_.size(); ++h) backward_row(c, diff.data(), row, h);
}

void ConvMaxOverTime::forward_height(const OpForward& c, std::size_t h) const {
  const Height& height = heights_[h];
  const auto filters = static_cast<std::size_t>(height.filters), n = c.rows * filters;
  thread_local AlignedFloats map, best;
  thread_local std::vector<std::int32_t> where;
  if (map.size() < n) {
    map.resize(n);
    best.resize(n);
    where.resize(n);
  }
  const int k = height.height * d_;
  for (int t = 0; t <= length_ - height.height; ++t) {
    kernels::gemm({.transpose_b = true,
                   .m = static_cast<std::int64_t>(c.rows),
                   .n = height.filters,
                   .k = k,
                   .a = c.inputs[0].data() + t * d_,
                   .lda = length_ * d_,
                   .b = c.inputs[1 + 2 * h].data(),
                   .ldb = k,
                   .c = map.data(),
                   .ldc = height.filters});
    kernels::running_max(n, map.data(), t, best.data(), where.data());
  }
  for (std::size_t row = 0; row < c.rows; ++row)
    for (std::size_t f = 0; f < filters; ++f) {
      const std::size_t to = row * width_ + height.first + f;
      c.output[to] = best[row * filters + f] + c.inputs[2 + 2 * h][f];
      c.saved[to] = static_cast<float>(where[row * filters + f]);
    }
}

void ConvMaxOverTime::backward_row(const OpBackward& c, const float* diff, std::size_t row,
                                   std::size_t h) const {
  const Height& height = heights_[h];
  const auto d = static_cast<std::size_t>(d_), length = static_cast<std::size_t>(length_);
  const std::size_t k = static_cast<std::size_t>(height.height) * d;
  const std::span<float> dx = c.input_gradients[0], dw = c.input_gradients[1 + 2 * h],
                         db = c.input_gradients[2 + 2 * h];
  for (std::size_t f = 0; f < static_cast<std::size_t>(height.filters); ++f) {
    const std::size_t at = row * width_ + height.first + f;
    const float g = diff[at];
    if (g == 0) continue;
    const std::size_t window = (row * length + static_cast<std::size_t>(c.saved[at])) * d;
    if (!dx.empty()) kernels::axpy(k, g, c.inputs[1 + 2 * h].data() + f * k, dx.data() + window);
    if (!dw.empty()) kernels::axpy(k, g, c.inputs[0].data() + window, dw.data() + f * k);
    if (!db.empty()) db[f] += g;
  }
}

Var conv_max_over_time(std::span<const TimeConv> convs, Var x, Activation f) {
  if (convs.empty()) return {};
  std::vector<Operand> operands{x};
  for (const TimeConv& conv : convs) {
    operands.emplace_back(conv.weight);
    operands.emplace_back(conv.bias);
  }
  return call_op(std::make_shared<ConvMaxOverTime>(x.shape(), convs, f), operands);
}

}  // namespace recloom::nn
