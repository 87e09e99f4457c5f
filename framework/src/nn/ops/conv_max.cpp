#include "nn/ops/conv_max.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/scratch.hpp"
#include "kernels/gemm.hpp"
#include "kernels/isa.hpp"
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

/// @param filters null: by products.
void forward_height(const OpForward& c, std::size_t h, const Height& height,
                    const kernels::ConvFilters* filters) {
  const Sizes s(c);
  const auto width = static_cast<std::size_t>(height.filters), n = c.rows * width;
  Scratch scratch;
  float *const map = scratch.floats(n), *const best = scratch.floats(n);
  std::int32_t* const where = scratch.take<std::int32_t>(n).data();
  const int k = height.height * s.d;
  for (int t = 0; t <= s.length - height.height; ++t) {
    if (filters != nullptr)
      filters->windows(static_cast<int>(c.rows), t, c.inputs[0].data(), map);
    else
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
    for (std::size_t f = 0; f < width; ++f) {
      const std::size_t to = row * s.width + height.first + f;
      c.output[to] = best[row * width + f] + c.inputs[2 + 2 * h][f];
      c.saved[to] = static_cast<float>(where[row * width + f]);
    }
}

/// Where the gradient of a height's windows goes, of those that won alone.
void backward_winners(const OpBackward& c, const float* diff, std::size_t h, const Height& height) {
  const Sizes s(c);
  const auto d = static_cast<std::size_t>(s.d), length = static_cast<std::size_t>(s.length);
  const std::size_t k = static_cast<std::size_t>(height.height) * d;
  const std::span<float> dx = c.diff_inputs[0], dw = c.diff_inputs[1 + 2 * h];
  for (std::size_t row = 0; row < c.rows; ++row)
    for (std::size_t f = 0; f < static_cast<std::size_t>(height.filters); ++f) {
      const std::size_t at = row * s.width + height.first + f;
      const float g = diff[at];
      if (g == 0) continue;
      const std::size_t window = (row * length + static_cast<std::size_t>(c.saved[at])) * d;
      if (!dx.empty()) kernels::axpy(k, g, c.inputs[1 + 2 * h].data() + f * k, dx.data() + window);
      if (!dw.empty()) kernels::axpy(k, g, c.inputs[0].data() + window, dw.data() + f * k);
    }
}

/// A height's gradients of all windows, zero but for those that won: map[row * row_stride + t *
/// position_stride + f].
void spread(const OpBackward& c, const float* diff, const Height& height, std::size_t row_stride,
            std::size_t position_stride, std::span<float> map) {
  const Sizes s(c);
  std::ranges::fill(map, 0.0F);
  for (std::size_t row = 0; row < c.rows; ++row)
    for (std::size_t f = 0; f < static_cast<std::size_t>(height.filters); ++f) {
      const std::size_t at = row * s.width + height.first + f;
      map[row * row_stride + static_cast<std::size_t>(c.saved[at]) * position_stride + f] =
          diff[at];
    }
}

/// The same from products of all windows.
void backward_products(const OpBackward& c, const float* diff, std::size_t h,
                       const Height& height) {
  const Sizes s(c);
  const auto filters = static_cast<std::size_t>(height.filters), n = c.rows * filters;
  const int k = height.height * s.d, positions = s.length - height.height + 1;
  const std::span<float> dx = c.diff_inputs[0], dw = c.diff_inputs[1 + 2 * h];
  Scratch scratch;
  const std::span<float> map = scratch.take(static_cast<std::size_t>(positions) * n);
  spread(c, diff, height, filters, n, map);
  for (int t = 0; t < positions; ++t) {
    const float* dy = map.data() + static_cast<std::size_t>(t) * n;
    if (!dx.empty())
      kernels::gemm({.m = static_cast<std::int64_t>(c.rows),
                     .n = k,
                     .k = height.filters,
                     .a = dy,
                     .lda = height.filters,
                     .b = c.inputs[1 + 2 * h].data(),
                     .ldb = k,
                     .c = dx.data() + t * s.d,
                     .ldc = s.length * s.d,
                     .accumulate = true});
    if (!dw.empty())
      kernels::gemm({.transpose_a = true,
                     .m = height.filters,
                     .n = k,
                     .k = static_cast<std::int64_t>(c.rows),
                     .a = dy,
                     .lda = height.filters,
                     .b = c.inputs[0].data() + t * s.d,
                     .ldb = s.length * s.d,
                     .c = dw.data(),
                     .ldc = k,
                     .accumulate = true});
  }
}

void backward_primitives(const OpBackward& c, const float* diff, std::size_t h,
                         const Height& height, const kernels::ConvFilters& filters) {
  const auto width = static_cast<std::size_t>(height.filters),
             positions = static_cast<std::size_t>(filters.shape().positions());
  Scratch scratch;
  const std::span<float> map = scratch.take(c.rows * positions * width);
  spread(c, diff, height, positions * width, width, map);
  filters.backward(static_cast<int>(c.rows), c.inputs[0].data(), map.data(),
                   c.diff_inputs[0].data(), c.diff_inputs[1 + 2 * h].data());
}

/// Of L - h + 1 windows of a filter one has a gradient. Products of all, in which the filters lie
/// side by side, are faster than going from winner to winner while windows are few (measured for 4
/// to 16 filters, with AVX2 and AVX-512).
bool products_pay(const OpBackward& c, const Height& height) {
  return 2 * (Sizes(c).length - height.height + 1) <= height.filters;
}

/// Convolution primitives are 12 to 19% faster than products with AVX-512 and slower without, and
/// with long histories. For a few rows they are not worth being made.
bool primitives_pay(const OpForward& c) {
  constexpr int kLongest = 20;
  constexpr std::size_t kFewest = 64;
  return kernels::isa() == kernels::Isa::avx512 && Sizes(c).length <= kLongest && c.rows >= kFewest;
}

}  // namespace

std::span<const kernels::ConvFilters> LaidOutFilters::get(int length, bool training) const {
  const std::lock_guard lock(mutex_);
  if (filters_.empty()) {
    std::vector<kernels::ConvFilters> made;
    for (const Parameter& weight : weights_) {
      const Shape& shape = weight.shape();
      made.emplace_back(kernels::Conv1d{length, shape.extent[3], shape.extent[0], shape.extent[2]},
                        training);
    }
    versions_.assign(weights_.size(), 0);
    filters_ = std::move(made);
    length_ = length;
  }
  if (length != length_)  // Others may be at work with those there are.
    throw InternalError(
        fmt::format("conv_max_over_time: filters laid out for histories of {} were asked for {}",
                    length_, length));
  for (std::size_t h = 0; h < weights_.size(); ++h) {
    const std::uint64_t version = weights_[h].data()->version;
    if (std::exchange(versions_[h], version) != version)
      filters_[h].assign(weights_[h].values().data());
  }
  return filters_;
}

ConvMaxOverTime::ConvMaxOverTime(Activation f, Convolution way, std::vector<Parameter> weights)
    : f_(f), way_(way), filters_(std::move(weights)) {
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

std::span<const kernels::ConvFilters> ConvMaxOverTime::laid_out(const OpContext& c) const {
  const bool trains = c.training && way_ == Convolution::dnnl;
  return filters_.get(Sizes(c).length, trains);
}

void ConvMaxOverTime::forward(const OpForward& c) const {
  std::span<const kernels::ConvFilters> filters;
  if (way_ == Convolution::dnnl || (way_ == Convolution::automatic && primitives_pay(c)))
    filters = laid_out(c);
  for_each_height(c.shapes, [&](std::size_t h, const Height& height) {
    forward_height(c, h, height, filters.empty() ? nullptr : &filters[h]);
  });
  activate(c.output);
}

void ConvMaxOverTime::backward(const OpBackward& c) const {
  Scratch scratch;
  const std::span<float> diff = scratch.take(c.output.size());
  times_slope(c.output, c.diff_output, diff);
  const Sizes s(c);
  float* const bias_diffs = scratch.zeros(s.width);
  kernels::column_sums(c.rows, s.width, diff.data(), bias_diffs);
  std::span<const kernels::ConvFilters> filters;
  if (way_ == Convolution::dnnl) filters = laid_out(c);
  for_each_height(c.shapes, [&](std::size_t h, const Height& height) {
    const std::span<float> bias = c.diff_inputs[2 + 2 * h];
    if (!bias.empty()) kernels::add(bias.size(), bias_diffs + height.first, bias.data());
    if (!filters.empty()) return backward_primitives(c, diff.data(), h, height, filters[h]);
    products_pay(c, height) ? backward_products(c, diff.data(), h, height)
                            : backward_winners(c, diff.data(), h, height);
  });
}

}  // namespace recloom::nn
