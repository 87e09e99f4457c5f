// Ops along the last axis: linear, normalisation, softmax, joining and cutting.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "kernels/gemm.hpp"
#include "kernels/layer_norm.hpp"
#include "kernels/vector.hpp"
#include "nn/graph/graph.hpp"
#include "nn/graph/parameter_data.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/op.hpp"
#include "recloom/nn/ops.hpp"

namespace recloom::nn {
namespace {

Shape with_last(Shape shape, int last) {
  if (shape.rank == 0) return {last};
  shape.extent[shape.rank - 1] = last;
  return shape;
}
Shape without_last(Shape shape) {
  shape.rank = std::max(0, shape.rank - 1);
  return shape;
}
std::size_t width(const Shape& shape) { return static_cast<std::size_t>(shape.last()); }

/// An op on each vector along the last axis of its first operand: another axis may be time.
class VectorOp : public Op {
 public:
  Reach reach(std::size_t operand, const OpShapes& shapes) const override {
    return operand == 0 && shapes.inputs[0].rank >= 2 ? Reach::same : Reach::unknown;
  }
};

/// Operands: x [.., in], weight [out, in] and perhaps bias [out].
class LinearOp final : public VectorOp {
 public:
  std::string_view name() const noexcept override { return "linear"; }
  Shape output_shape(const OpShapes& shapes) const override {
    const Shape &x = shapes.inputs[0], &weight = shapes.inputs[1];
    if (weight.rank != 2 || weight.extent[1] != x.last())
      throw ModelError(
          fmt::format("linear: input {} does not fit weight {}", to_text(x), to_text(weight)));
    if (has_bias(shapes) && count(shapes.inputs[2]) != static_cast<std::size_t>(weight.extent[0]))
      throw ModelError(fmt::format("linear: bias {} does not fit weight {}",
                                   to_text(shapes.inputs[2]), to_text(weight)));
    return with_last(x, weight.extent[0]);
  }
  double flops(const OpShapes& shapes) const override {
    return 2.0 * static_cast<double>(count(shapes.inputs[0])) * shapes.inputs[1].extent[0];
  }
  bool takes_first_write() const noexcept override { return true; }
  void forward(const OpForward& c) const override {
    const Sizes s(c);
    const bool bias = has_bias(c.shapes);
    if (bias)
      for (std::int64_t v = 0; v < s.vectors; ++v)
        std::copy_n(c.inputs[2].data(), s.out, c.output.data() + v * s.out);
    kernels::gemm({.transpose_b = true,
                   .m = s.vectors,
                   .n = s.out,
                   .k = s.in,
                   .a = c.inputs[0].data(),
                   .lda = s.in,
                   .b = c.inputs[1].data(),
                   .ldb = s.in,
                   .c = c.output.data(),
                   .ldc = s.out,
                   .accumulate = bias});
  }
  void backward(const OpBackward& c) const override {
    const Sizes s(c);
    const float* dy = c.diff_output.data();
    if (!c.diff_inputs[0].empty())
      kernels::gemm({.m = s.vectors,
                     .n = s.in,
                     .k = s.out,
                     .a = dy,
                     .lda = s.out,
                     .b = c.inputs[1].data(),
                     .ldb = s.in,
                     .c = c.diff_inputs[0].data(),
                     .ldc = s.in,
                     .accumulate = c.first_write[0] == 0});
    if (!c.diff_inputs[1].empty())
      kernels::gemm({.transpose_a = true,
                     .m = s.out,
                     .n = s.in,
                     .k = s.vectors,
                     .a = dy,
                     .lda = s.out,
                     .b = c.inputs[0].data(),
                     .ldb = s.in,
                     .c = c.diff_inputs[1].data(),
                     .ldc = s.in,
                     .accumulate = true});
    if (has_bias(c.shapes) && !c.diff_inputs[2].empty())
      for (std::int64_t v = 0; v < s.vectors; ++v)
        kernels::add(static_cast<std::size_t>(s.out), dy + v * s.out, c.diff_inputs[2].data());
  }

 private:
  struct Sizes {
    explicit Sizes(const OpContext& c)
        : in(c.shapes.inputs[0].last()),
          out(c.output_shape.last()),
          vectors(static_cast<std::int64_t>(c.inputs[0].size()) / in) {}
    std::int64_t in, out, vectors;
  };
  static bool has_bias(const OpShapes& shapes) { return shapes.inputs.size() == 3; }
};

/// Operands: x, gain, bias. Saved: mean and 1 / deviation of every vector.
class LayerNormOp final : public VectorOp {
 public:
  explicit LayerNormOp(double epsilon) : epsilon_(epsilon) {}
  std::string_view name() const noexcept override { return "layer_norm"; }
  Shape output_shape(const OpShapes& shapes) const override {
    const Shape &x = shapes.inputs[0], &gain = shapes.inputs[1], &bias = shapes.inputs[2];
    if (count(gain) != width(x) || count(bias) != width(x))
      throw ModelError(fmt::format("layer_norm: input {} does not fit gain {} and bias {}",
                                   to_text(x), to_text(gain), to_text(bias)));
    return x;
  }
  std::size_t saved_size(const OpShapes& shapes) const override {
    return 2 * count(without_last(shapes.inputs[0]));
  }
  bool takes_first_write() const noexcept override { return true; }
  void forward(const OpForward& c) const override {
    const std::size_t n = width(c.output_shape);
    kernels::layer_norm(c.output.size() / n, n, c.inputs[0].data(), c.inputs[1].data(),
                        c.inputs[2].data(), epsilon_, c.output.data(), c.saved.data());
  }
  void backward(const OpBackward& c) const override {
    const std::size_t n = width(c.output_shape);
    kernels::layer_norm_backward(c.output.size() / n, n, c.inputs[0].data(), c.inputs[1].data(),
                                 c.saved.data(), c.diff_output.data(), c.diff_inputs[0].data(),
                                 c.diff_inputs[1].data(), c.diff_inputs[2].data(),
                                 c.first_write[0] == 0);
  }

 private:
  double epsilon_;
};

class Softmax final : public VectorOp {
 public:
  std::string_view name() const noexcept override { return "softmax"; }
  Shape output_shape(const OpShapes& shapes) const override { return shapes.inputs[0]; }
  void forward(const OpForward& c) const override {
    const std::size_t n = width(c.output_shape);
    for (std::size_t at = 0; at < c.output.size(); at += n) {
      const float* x = c.inputs[0].data() + at;
      const float largest = *std::max_element(x, x + n);
      double sum = 0;
      for (std::size_t e = 0; e < n; ++e) sum += c.output[at + e] = std::exp(x[e] - largest);
      kernels::scale(n, static_cast<float>(1 / sum), c.output.data() + at);
    }
  }
  void backward(const OpBackward& c) const override {
    if (c.diff_inputs[0].empty()) return;
    const std::size_t n = width(c.output_shape);
    for (std::size_t at = 0; at < c.output.size(); at += n) {
      double inner = 0;
      for (std::size_t e = 0; e < n; ++e) inner += c.output[at + e] * c.diff_output[at + e];
      for (std::size_t e = 0; e < n; ++e)
        c.diff_inputs[0][at + e] +=
            c.output[at + e] * (c.diff_output[at + e] - static_cast<float>(inner));
    }
  }
};

/// Joins tensors that differ in their last extent only.
class Concat final : public Op {
 public:
  std::string_view name() const noexcept override { return "concat"; }
  Shape output_shape(const OpShapes& shapes) const override {
    const Shape& first = shapes.inputs[0];
    std::size_t sum = 0;
    for (const Shape& part : shapes.inputs) {
      if (without_last(part) != without_last(first))
        throw ModelError(
            fmt::format("concat: shapes {} and {} do not fit", to_text(first), to_text(part)));
      sum += width(part);
    }
    return with_last(first, to_extent(sum));
  }
  Reach reach(std::size_t operand, const OpShapes& shapes) const override {
    return shapes.inputs[operand].rank >= 2 ? Reach::same : Reach::unknown;
  }
  void forward(const OpForward& c) const override {
    for_each_part(c, [&](std::size_t part, std::size_t from, std::size_t to, std::size_t n) {
      std::copy_n(c.inputs[part].data() + from, n, c.output.data() + to);
    });
  }
  void backward(const OpBackward& c) const override {
    for_each_part(c, [&](std::size_t part, std::size_t from, std::size_t to, std::size_t n) {
      if (!c.diff_inputs[part].empty())
        kernels::add(n, c.diff_output.data() + to, c.diff_inputs[part].data() + from);
    });
  }

 private:
  /// Call body(part, place in the part, place in the output, count) for every vector of each part.
  template <class Body>
  static void for_each_part(const OpContext& c, Body body) {
    const std::size_t all = width(c.output_shape), vectors = c.rows * count(c.output_shape) / all;
    std::size_t column = 0;
    for (std::size_t part = 0; part < c.inputs.size(); ++part) {
      const std::size_t n = width(c.shapes.inputs[part]);
      for (std::size_t v = 0; v < vectors; ++v) body(part, v * n, v * all + column, n);
      column += n;
    }
  }
};

class Slice final : public VectorOp {
 public:
  Slice(int first, int n) : first_(first), n_(n) {}
  std::string_view name() const noexcept override { return "slice"; }
  Shape output_shape(const OpShapes& shapes) const override {
    const Shape& x = shapes.inputs[0];
    if (first_ < 0 || n_ < 1 || first_ > x.last() - n_)
      throw ModelError(
          fmt::format("slice: {} columns from {} on of shape {}", n_, first_, to_text(x)));
    return with_last(x, n_);
  }
  void forward(const OpForward& c) const override {
    const auto n = static_cast<std::size_t>(n_);
    for (std::size_t v = 0; v < c.output.size() / n; ++v)
      std::copy_n(c.inputs[0].data() + place(c, v), n, c.output.data() + v * n);
  }
  void backward(const OpBackward& c) const override {
    if (c.diff_inputs[0].empty()) return;
    const auto n = static_cast<std::size_t>(n_);
    for (std::size_t v = 0; v < c.output.size() / n; ++v)
      kernels::add(n, c.diff_output.data() + v * n, c.diff_inputs[0].data() + place(c, v));
  }

 private:
  std::size_t place(const OpContext& c, std::size_t vector) const {
    return vector * width(c.shapes.inputs[0]) + static_cast<std::size_t>(first_);
  }
  int first_, n_;
};

/// x [n], index [T] -> [T].
class Pick final : public Op {
 public:
  std::string_view name() const noexcept override { return "pick"; }
  Shape output_shape(const OpShapes& shapes) const override {
    if (shapes.inputs[0].rank != 1)
      throw ModelError(fmt::format("pick: shape {} is no vector", to_text(shapes.inputs[0])));
    return shapes.ids[0];
  }
  void forward(const OpForward& c) const override {
    for (std::size_t e = 0; e < c.output.size(); ++e) c.output[e] = c.inputs[0][place(c, e)];
  }
  void backward(const OpBackward& c) const override {
    if (c.diff_inputs[0].empty()) return;
    for (std::size_t e = 0; e < c.output.size(); ++e)
      c.diff_inputs[0][place(c, e)] += c.diff_output[e];
  }

 private:
  static std::size_t place(const OpContext& c, std::size_t e) {
    const auto index = static_cast<std::size_t>(c.ids[0][e]);
    const std::size_t n = width(c.shapes.inputs[0]);
    if (index >= n)
      throw ModelError(fmt::format("pick: index {} of a vector of {}", c.ids[0][e], n));
    return e / count(c.output_shape) * n + index;
  }
};

class Sum final : public VectorOp {
 public:
  std::string_view name() const noexcept override { return "sum"; }
  Shape output_shape(const OpShapes& shapes) const override {
    return without_last(shapes.inputs[0]);
  }
  void forward(const OpForward& c) const override {
    const std::size_t n = width(c.shapes.inputs[0]);
    for (std::size_t v = 0; v < c.output.size(); ++v)
      c.output[v] = static_cast<float>(kernels::sum(n, c.inputs[0].data() + v * n));
  }
  void backward(const OpBackward& c) const override {
    if (c.diff_inputs[0].empty()) return;
    const std::size_t n = width(c.shapes.inputs[0]);
    for (std::size_t v = 0; v < c.output.size(); ++v)
      for (std::size_t e = 0; e < n; ++e) c.diff_inputs[0][v * n + e] += c.diff_output[v];
  }
};

class Detach final : public Op {
 public:
  std::string_view name() const noexcept override { return "detach"; }
  Shape output_shape(const OpShapes& shapes) const override { return shapes.inputs[0]; }
  Reach reach(std::size_t, const OpShapes&) const override { return Reach::same; }
  void forward(const OpForward& c) const override {
    std::ranges::copy(c.inputs[0], c.output.begin());
  }
  void backward(const OpBackward&) const override {}
};

Shape flat(const Shape& shape) { return {to_extent(count(shape))}; }
Shape with_column(const Shape& shape) {
  if (shape.rank == 4) throw ModelError(fmt::format("column: {} has four axes", to_text(shape)));
  Shape wider = shape;
  wider.extent[wider.rank++] = 1;
  return wider;
}

Var view(std::string_view name, Var x, Shape (*shape)(const Shape&)) {
  x.shape();  // there is one
  return x.graph()->add(name, View{shape}, {x});
}

}  // namespace

Var linear(Var x, Parameter weight, Parameter bias) {
  auto op = std::make_shared<LinearOp>();
  return bias ? call(std::move(op), x, weight, bias) : call(std::move(op), x, weight);
}
Var layer_norm(Var x, Parameter gain, Parameter bias, double epsilon) {
  return call(std::make_shared<LayerNormOp>(epsilon), x, gain, bias);
}
Var softmax(Var x) { return call(std::make_shared<Softmax>(), x); }
Var concat(std::span<const Var> parts) {
  std::vector<Operand> operands;
  for (const Var part : parts)
    if (part) operands.emplace_back(part);
  if (operands.empty()) throw ModelError("concat: every part is empty");
  if (operands.size() == 1) return operands.front().var;
  return call_op(std::make_shared<Concat>(), operands);
}
Var flatten(Var x) { return view("flatten", x, flat); }
Var column(Var x) { return view("column", x, with_column); }
Var slice(Var x, int first, int n) { return call(std::make_shared<Slice>(first, n), x); }
Var pick(Var x, Ids index) { return call(std::make_shared<Pick>(), x, index); }
Var sum(Var x) { return call(std::make_shared<Sum>(), x); }
Var dot(Var a, Var b) { return sum(a * b); }
Var detach(Var x) {
  const Var result = call(std::make_shared<Detach>(), x);
  x.graph()->node(result.node()).blocks_gradient = true;
  return result;
}

}  // namespace recloom::nn
