#include "nn/ops/conv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "kernels/gemm.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/op.hpp"

namespace recloom::nn {
namespace {

/// One matmul per window start: windows overlap, so their matrix has no copy-free form of its own.
class TimeConvOp final : public Op {
 public:
  std::string_view name() const noexcept override { return "time_conv"; }
  Shape output_shape(const OpShapes& shapes) const override {
    const Shape &x = shapes.inputs[0], &weight = shapes.inputs[1];
    if (x.rank != 2)
      throw ModelError(fmt::format("time_conv: shape {} is not [time, size]", to_text(x)));
    if (weight.extent[2] > x.extent[0] || weight.extent[3] != x.extent[1])
      throw ModelError(
          fmt::format("time_conv: input {} does not fit weight {}", to_text(x), to_text(weight)));
    return {x.extent[0] - weight.extent[2] + 1, weight.extent[0]};
  }
  double flops(const OpShapes& shapes) const override {
    return 2.0 * output_shape(shapes).extent[0] * static_cast<double>(count(shapes.inputs[1]));
  }
  void forward(const OpForward& c) const override {
    const Sizes s(c);
    for (std::int64_t v = 0; v < s.rows * s.windows; ++v)
      std::copy_n(c.inputs[2].data(), s.filters, c.output.data() + v * s.filters);
    for (std::int64_t t = 0; t < s.windows; ++t)
      kernels::gemm({.transpose_b = true,
                     .m = s.rows,
                     .n = s.filters,
                     .k = s.k,
                     .a = c.inputs[0].data() + t * s.d,
                     .lda = s.length * s.d,
                     .b = c.inputs[1].data(),
                     .ldb = s.k,
                     .c = c.output.data() + t * s.filters,
                     .ldc = s.windows * s.filters,
                     .accumulate = true});
  }
  void backward(const OpBackward& c) const override {
    const Sizes s(c);
    for (std::int64_t t = 0; t < s.windows; ++t) {
      const float* dy = c.diff_output.data() + t * s.filters;
      if (!c.diff_inputs[0].empty())
        kernels::gemm({.m = s.rows,
                       .n = s.k,
                       .k = s.filters,
                       .a = dy,
                       .lda = s.windows * s.filters,
                       .b = c.inputs[1].data(),
                       .ldb = s.k,
                       .c = c.diff_inputs[0].data() + t * s.d,
                       .ldc = s.length * s.d,
                       .accumulate = true});
      if (!c.diff_inputs[1].empty())
        kernels::gemm({.transpose_a = true,
                       .m = s.filters,
                       .n = s.k,
                       .k = s.rows,
                       .a = dy,
                       .lda = s.windows * s.filters,
                       .b = c.inputs[0].data() + t * s.d,
                       .ldb = s.length * s.d,
                       .c = c.diff_inputs[1].data(),
                       .ldc = s.k,
                       .accumulate = true});
    }
    if (!c.diff_inputs[2].empty())
      for (std::size_t e = 0; e < c.diff_output.size(); ++e)
        c.diff_inputs[2][e % static_cast<std::size_t>(s.filters)] += c.diff_output[e];
  }

 private:
  struct Sizes {
    explicit Sizes(const OpContext& c)
        : rows(static_cast<std::int64_t>(c.rows)),
          length(c.shapes.inputs[0].extent[0]),
          d(c.shapes.inputs[0].extent[1]),
          windows(c.output_shape.extent[0]),
          filters(c.output_shape.extent[1]),
          k(c.shapes.inputs[1].extent[2] * d) {}
    std::int64_t rows, length, d, windows, filters, k;
  };
};

}  // namespace

Var time_conv(Var x, Parameter weight, Parameter bias) {
  return call(std::make_shared<TimeConvOp>(), x, weight, bias);
}

}  // namespace recloom::nn
