// Convolutions over a history, and Caser's two uses of them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "core/aligned.hpp"
#include "kernels/gemm.hpp"
#include "kernels/vector.hpp"
#include "nn/parameter_data.hpp"
#include "nn/time_mix.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/modules.hpp"
#include "recloom/nn/op.hpp"

namespace recloom::nn {
namespace {

struct TimeShape {
  int length, d;
  TimeShape(std::string_view op, const Shape& x) {
    if (x.rank != 2)
      throw ModelError(fmt::format("{}: shape {} is not [time, size]", op, to_text(x)));
    length = x.extent[0];
    d = x.extent[1];
  }
};

/// Filters of one height at every window: [L, d] -> [L-h+1, filters]. One matmul per window start:
/// windows overlap, so their matrix has no copy-free form of its own.
class TimeConvOp final : public Op {
 public:
  TimeConvOp(const Shape& x, const Shape& weight)
      : x_("time_conv", x), filters_(weight.extent[0]), height_(weight.extent[2]) {
    if (height_ > x_.length || weight.extent[3] != x_.d)
      throw ModelError(
          fmt::format("time_conv: input {} does not fit weight {}", to_text(x), to_text(weight)));
    windows_ = x_.length - height_ + 1;
  }
  std::string_view name() const noexcept override { return "time_conv"; }
  Shape output_shape(std::span<const Shape>) const override { return {windows_, filters_}; }
  double flops(std::span<const Shape>) const override { return 2.0 * windows_ * filters_ * k(); }
  void forward(const OpForward& c) const override {
    for (std::size_t v = 0; v < c.output.size() / static_cast<std::size_t>(filters_); ++v)
      std::copy_n(c.inputs[2].data(), filters_,
                  c.output.data() + v * static_cast<std::size_t>(filters_));
    for (int t = 0; t < windows_; ++t)
      kernels::gemm({.transpose_b = true,
                     .m = static_cast<std::int64_t>(c.rows),
                     .n = filters_,
                     .k = k(),
                     .a = c.inputs[0].data() + t * x_.d,
                     .lda = x_.length * x_.d,
                     .b = c.inputs[1].data(),
                     .ldb = k(),
                     .c = c.output.data() + t * filters_,
                     .ldc = windows_ * filters_,
                     .accumulate = true});
  }
  void backward(const OpBackward& c) const override {
    for (int t = 0; t < windows_; ++t) {
      const float* dy = c.output_gradient.data() + t * filters_;
      if (!c.input_gradients[0].empty())
        kernels::gemm({.m = static_cast<std::int64_t>(c.rows),
                       .n = k(),
                       .k = filters_,
                       .a = dy,
                       .lda = windows_ * filters_,
                       .b = c.inputs[1].data(),
                       .ldb = k(),
                       .c = c.input_gradients[0].data() + t * x_.d,
                       .ldc = x_.length * x_.d,
                       .accumulate = true});
      if (!c.input_gradients[1].empty())
        kernels::gemm({.transpose_a = true,
                       .m = filters_,
                       .n = k(),
                       .k = static_cast<std::int64_t>(c.rows),
                       .a = dy,
                       .lda = windows_ * filters_,
                       .b = c.inputs[0].data() + t * x_.d,
                       .ldb = x_.length * x_.d,
                       .c = c.input_gradients[1].data(),
                       .ldc = k(),
                       .accumulate = true});
    }
    if (!c.input_gradients[2].empty())
      for (std::size_t e = 0; e < c.output_gradient.size(); ++e)
        c.input_gradients[2][e % static_cast<std::size_t>(filters_)] += c.output_gradient[e];
  }

 private:
  int k() const { return height_ * x_.d; }
  TimeShape x_;
  int filters_, height_, windows_;
};

}  // namespace

TimeConv::TimeConv(const Scope& scope, int size, int filters, int height) {
  const Init init = fan_in(static_cast<double>(height) * size);
  weight = scope.parameter("weight", {filters, 1, height, size}, init);
  bias = scope.parameter("bias", {filters}, init);
}
Var TimeConv::operator()(Var x) const {
  return call(std::make_shared<TimeConvOp>(x.shape(), weight.shape()), x, weight, bias);
}

TimeMix::TimeMix(const Scope& scope, int length, int filters) {
  weight = scope.parameter("weight", {filters, 1, length, 1}, fan_in(length));
  bias = scope.parameter("bias", {filters}, fan_in(length));
}
Var TimeMix::operator()(Var x) const {
  return call(std::make_shared<TimeMixOp>(x.shape(), weight.shape()), x, weight, bias);
}

}  // namespace recloom::nn
