// Ops along the last axis: linear, normalisation, softmax, joining and cutting.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "kernels/gemm.hpp"
#include "kernels/layer_norm.hpp"
#include "kernels/vector.hpp"
#include "nn/graph_impl.hpp"
#include "nn/ops_internal.hpp"
#include "nn/parameter_data.hpp"
#include "recloom/core/error.hpp"

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

class LinearOp final : public ShapedOp {
 public:
  LinearOp(const Shape& x, const Shape& weight, bool bias)
      : shape_(with_last(x, weight.extent[0])), in_(x.last()), out_(weight.extent[0]), bias_(bias) {
    if (weight.rank != 2 || weight.extent[1] != in_)
      throw ModelError(
          fmt::format("linear: input {} does not fit weight {}", to_text(x), to_text(weight)));
  }
  std::string_view name() const noexcept override { return "linear"; }
  Shape output_shape(std::span<const Shape>) const override { return shape_; }
  Reach reach(std::size_t operand, std::span<const Shape> inputs) const override {
    return reach_of_vectors(inputs[operand]);
  }
  double flops(std::span<const Shape> inputs) const override {
    return 2.0 * static_cast<double>(count(inputs[0])) * out_;
  }
  void forward(const OpForward& c) const override {
    const std::int64_t m = vectors(c);
    if (bias_)
      for (std::int64_t r = 0; r < m; ++r)
        std::copy_n(c.inputs[2].data(), out_, c.output.data() + r * out_);
    kernels::gemm({.transpose_b = true,
                   .m = m,
                   .n = out_,
                   .k = in_,
                   .a = c.inputs[0].data(),
                   .lda = in_,
                   .b = c.inputs[1].data(),
                   .ldb = in_,
                   .c = c.output.data(),
                   .ldc = out_,
                   .accumulate = bias_});
  }
  void backward(const OpBackward& c) const override { backward_into(c, kNothingFresh); }
  void backward_into(const OpBackward& c, std::span<const char> fresh) const override {
    const std::int64_t m = vectors(c);
    const float* dy = c.output_gradient.data();
    if (!c.input_gradients[0].empty())
      kernels::gemm({.m = m,
                     .n = in_,
                     .k = out_,
                     .a = dy,
                     .lda = out_,
                     .b = c.inputs[1].data(),
                     .ldb = in_,
                     .c = c.input_gradients[0].data(),
                     .ldc = in_,
                     .accumulate = fresh[0] == 0});
    if (!c.input_gradients[1].empty())
      kernels::gemm({.transpose_a = true,
                     .m = out_,
                     .n = in_,
                     .k = m,
                     .a = dy,
                     .lda = out_,
                     .b = c.inputs[0].data(),
                     .ldb = in_,
                     .c = c.input_gradients[1].data(),
                     .ldc = in_,
                     .accumulate = true});
    if (bias_ && !c.input_gradients[2].empty())
      for (std::int64_t r = 0; r < m; ++r)
        kernels::add(static_cast<std::size_t>(out_), dy + r * out_, c.input_gradients[2].data());
  }

 private:
  std::int64_t vectors(const OpContext& c) const {
    return static_cast<std::int64_t>(c.inputs[0].size()) / in_;
  }
  Shape shape_;
  int in_, out_;
  bool bias_;
};

class LayerNormOp final : public ShapedOp {
 public:
  LayerNormOp(const Shape& x, double epsilon) : shape_(x), epsilon_(epsilon) {}
  std::string_view name() const noexcept override { return "layer_norm"; }
  std::array<double, 2> constants() const override { return {epsilon_, 0}; }
  Shape output_shape(std::span<const Shape>) const override { return shape_; }
  Reach reach(std::size_t operand, std::span<const Shape> inputs) const override {
    return reach_of_vectors(inputs[operand]);
  }
  std::size_t saved_size(std::span<const Shape>) const override {
    return 2 * count(without_last(shape_));  // mean and 1/deviation of every vector
  }
  void forward(const OpForward& c) const override {
    const auto n = static_cast<std::size_t>(shape_.last());
    kernels::layer_norm(c.output.size() / n, n, c.inputs[0].data(), c.inputs[1].data(),
                        c.inputs[2].data(), epsilon_, c.output.data(), c.saved.data());
  }
  void backward(const OpBackward& c) const override { backward_into(c, kNothingFresh); }
  void backward_into(const OpBackward& c, std::span<const char> fresh) const override {
    const auto n = static_cast<std::size_t>(shape_.last());
    kernels::layer_norm_backward(c.output.size() / n, n, c.inputs[0].data(), c.inputs[1].data(),
                                 c.saved.data(), c.output_gradient.data(),
                                 c.input_gradients[0].data(), c.input_gradients[1].data(),
                                 c.input_gradients[2].data(), fresh[0] == 0);
  }

 private:
  Shape shape_;
  double epsilon_;
};

class SoftmaxOp final : public ShapedOp {
 public:
  explicit SoftmaxOp(const Shape& x) : shape_(x) {}
  std::string_view name() const noexcept override { return "softmax"; }
  Shape output_shape(std::span<const Shape>) const override { return shape_; }
  Reach reach(std::size_t operand, std::span<const Shape> inputs) const override {
    return reach_of_vectors(inputs[operand]);
  }
  void forward(const OpForward& c) const override {
    const auto n = static_cast<std::size_t>(shape_.last());
    for (std::size_t at = 0; at < c.output.size(); at += n) {
      const float* x = c.inputs[0].data() + at;
      const float largest = *std::max_element(x, x + n);
      double sum = 0;
      for (std::size_t e = 0; e < n; ++e) sum += c.output[at + e] = std::exp(x[e] - largest);
      kernels::scale(n, static_cast<float>(1 / sum), c.output.data() + at);
    }
  }
  void backward(const OpBackward& c) const override {
    if (c.input_gradients[0].empty()) return;
    const auto n = static_cast<std::size_t>(shape_.last());
    for (std::size_t at = 0; at < c.output.size(); at += n) {
      double inner = 0;
      for (std::size_t e = 0; e < n; ++e) inner += c.output[at + e] * c.output_gradient[at + e];
      for (std::size_t e = 0; e < n; ++e)
        c.input_gradients[0][at + e] +=
            c.output[at + e] * (c.output_gradient[at + e] - static_cast<float>(inner));
    }
  }

 private:
  Shape shape_;
};

/// Joins tensors that differ in their last extent only.
class Concat final : public ShapedOp {
 public:
  explicit Concat(std::vector<Shape> parts) : shape_(parts.front()) {
    std::size_t width = 0;
    for (const Shape& part : parts) {
      if (to_text(without_last(part)) != to_text(without_last(shape_)))
        throw ModelError(
            fmt::format("concat: shapes {} and {} do not fit", to_text(shape_), to_text(part)));
      widths_.push_back(static_cast<std::size_t>(part.last()));
      width += widths_.back();
    }
    shape_ = with_last(shape_, to_extent(width));
  }
  std::string_view name() const noexcept override { return "concat"; }
  Shape output_shape(std::span<const Shape>) const override { return shape_; }
  Reach reach(std::size_t operand, std::span<const Shape> inputs) const override {
    return reach_of_vectors(inputs[operand]);
  }
  void forward(const OpForward& c) const override {
    const auto width = static_cast<std::size_t>(shape_.last());
    for (std::size_t part = 0, at = 0; part < widths_.size(); at += widths_[part++])
      for (std::size_t v = 0; v < c.output.size() / width; ++v)
        std::copy_n(c.inputs[part].data() + v * widths_[part], widths_[part],
                    c.output.data() + v * width + at);
  }
  void backward(const OpBackward& c) const override {
    const auto width = static_cast<std::size_t>(shape_.last());
    for (std::size_t part = 0, at = 0; part < widths_.size(); at += widths_[part++]) {
      if (c.input_gradients[part].empty()) continue;
      for (std::size_t v = 0; v < c.output.size() / width; ++v)
        kernels::add(widths_[part], c.output_gradient.data() + v * width + at,
                     c.input_gradients[part].data() + v * widths_[part]);
    }
  }

 private:
  Shape shape_;
  std::vector<std::size_t> widths_;
};

class Slice final : public ShapedOp {
 public:
  Slice(const Shape& x, int first, int n)
      : shape_(with_last(x, n)),
        width_(static_cast<std::size_t>(x.last())),
        first_(static_cast<std::size_t>(first)),
        n_(static_cast<std::size_t>(n)) {
    if (first < 0 || n < 1 || first > x.last() - n)
      throw ModelError(
          fmt::format("slice: {} columns from {} on of shape {}", n, first, to_text(x)));
  }
  std::string_view name() const noexcept override { return "slice"; }
  std::array<double, 2> constants() const override { return {static_cast<double>(first_), 0}; }
  Shape output_shape(std::span<const Shape>) const override { return shape_; }
  Reach reach(std::size_t operand, std::span<const Shape> inputs) const override {
    return reach_of_vectors(inputs[operand]);
  }
  void forward(const OpForward& c) const override {
    for (std::size_t v = 0; v < c.output.size() / n_; ++v)
      std::copy_n(c.inputs[0].data() + v * width_ + first_, n_, c.output.data() + v * n_);
  }
  void backward(const OpBackward& c) const override {
    if (c.input_gradients[0].empty()) return;
    for (std::size_t v = 0; v < c.output.size() / n_; ++v)
      kernels::add(n_, c.output_gradient.data() + v * n_,
                   c.input_gradients[0].data() + v * width_ + first_);
  }

 private:
  Shape shape_;
  std::size_t width_, first_, n_;
};

/// x [n], index [T] -> [T].
class Pick final : public ShapedOp {
 public:
  Pick(const Shape& x, const Shape& index) : shape_(index), n_(count(x)), t_(count(index)) {
    if (x.rank != 1) throw ModelError(fmt::format("pick: shape {} is no vector", to_text(x)));
  }
  std::string_view name() const noexcept override { return "pick"; }
  Shape output_shape(std::span<const Shape>) const override { return shape_; }
  void forward(const OpForward& c) const override {
    for (std::size_t e = 0; e < c.rows * t_; ++e) c.output[e] = c.inputs[0][place(c, e)];
  }
  void backward(const OpBackward& c) const override {
    if (c.input_gradients[0].empty()) return;
    for (std::size_t e = 0; e < c.rows * t_; ++e)
      c.input_gradients[0][place(c, e)] += c.output_gradient[e];
  }

 private:
  std::size_t place(const OpContext& c, std::size_t e) const {
    const auto index = static_cast<std::size_t>(c.ids[0][e]);
    if (index >= n_)
      throw ModelError(fmt::format("pick: index {} of a vector of {}", c.ids[0][e], n_));
    return e / t_ * n_ + index;
  }
  Shape shape_;
  std::size_t n_, t_;
};

class SumOp final : public ShapedOp {
 public:
  explicit SumOp(const Shape& x)
      : shape_(without_last(x)), n_(static_cast<std::size_t>(x.last())) {}
  std::string_view name() const noexcept override { return "sum"; }
  Shape output_shape(std::span<const Shape>) const override { return shape_; }
  Reach reach(std::size_t operand, std::span<const Shape> inputs) const override {
    return reach_of_vectors(inputs[operand]);
  }
  void forward(const OpForward& c) const override {
    for (std::size_t v = 0; v < c.output.size(); ++v)
      c.output[v] = static_cast<float>(kernels::sum(n_, c.inputs[0].data() + v * n_));
  }
  void backward(const OpBackward& c) const override {
    if (c.input_gradients[0].empty()) return;
    for (std::size_t v = 0; v < c.output.size(); ++v)
      for (std::size_t e = 0; e < n_; ++e) c.input_gradients[0][v * n_ + e] += c.output_gradient[v];
  }

 private:
  Shape shape_;
  std::size_t n_;
};

class Identity final : public ShapedOp {
 public:
  explicit Identity(const Shape& x) : shape_(x) {}
  std::string_view name() const noexcept override { return "detach"; }
  Shape output_shape(std::span<const Shape>) const override { return shape_; }
  Reach reach(std::size_t, std::span<const Shape>) const override { return Reach::same; }
  void forward(const OpForward& c) const override {
    std::copy(c.inputs[0].begin(), c.inputs[0].end(), c.output.begin());
  }
  void backward(const OpBackward&) const override {}

 private:
  Shape shape_;
};

Var view(std::string_view name, Var x, const Shape& shape) {
  return x.graph()->add(name, shape, View{}, {x});
}

}  // namespace

Var linear(Var x, Parameter weight, Parameter bias) {
  auto op = std::make_shared<LinearOp>(x.shape(), weight.shape(), static_cast<bool>(bias));
  if (bias && count(bias.shape()) != static_cast<std::size_t>(weight.shape().extent[0]))
    throw ModelError(fmt::format("linear: bias {} does not fit weight {}", to_text(bias.shape()),
                                 to_text(weight.shape())));
  const Var y = bias ? call(std::move(op), x, weight, bias) : call(std::move(op), x, weight);
  return with_remake(y, [weight, bias](std::span<const Operand> operands, Ids) {
    return linear(operands[0].var, weight, bias);
  });
}
Var layer_norm(Var x, Parameter gain, Parameter bias, double epsilon) {
  const auto n = static_cast<std::size_t>(x.size());
  if (count(gain.shape()) != n || count(bias.shape()) != n)
    throw ModelError(fmt::format("layer_norm: input {} does not fit gain {} and bias {}",
                                 to_text(x.shape()), to_text(gain.shape()), to_text(bias.shape())));
  return with_remake(call(std::make_shared<LayerNormOp>(x.shape(), epsilon), x, gain, bias),
                     [gain, bias, epsilon](std::span<const Operand> operands, Ids) {
                       return layer_norm(operands[0].var, gain, bias, epsilon);
                     });
}
Var softmax(Var x) {
  return with_remake(
      call(std::make_shared<SoftmaxOp>(x.shape()), x),
      [](std::span<const Operand> operands, Ids) { return softmax(operands[0].var); });
}

Var concat(std::span<const Var> parts) {
  std::vector<Operand> operands;
  std::vector<Shape> shapes;
  for (const Var part : parts)
    if (part) {
      operands.emplace_back(part);
      shapes.push_back(part.shape());
    }
  if (operands.empty()) throw ModelError("concat: every part is empty");
  if (operands.size() == 1) return operands.front().var;
  return with_remake(call_op(std::make_shared<Concat>(std::move(shapes)), operands),
                     [](std::span<const Operand> made, Ids) {
                       std::vector<Var> vars;
                       for (const Operand& operand : made) vars.push_back(operand.var);
                       return concat(vars);
                     });
}
Var flatten(Var x) { return view("flatten", x, {to_extent(count(x.shape()))}); }
Var column(Var x) {
  Shape shape = x.shape();
  if (shape.rank == 4) throw ModelError(fmt::format("column: {} has four axes", to_text(shape)));
  shape.extent[shape.rank++] = 1;
  return view("column", x, shape);
}
Var slice(Var x, int first, int n) {
  return with_remake(call(std::make_shared<Slice>(x.shape(), first, n), x),
                     [first, n](std::span<const Operand> operands, Ids) {
                       return slice(operands[0].var, first, n);
                     });
}
Var pick(Var x, Ids index) {
  return call(std::make_shared<Pick>(x.shape(), index.shape()), x, index);
}
Var sum(Var x) { return call(std::make_shared<SumOp>(x.shape()), x); }
Var dot(Var a, Var b) { return sum(a * b); }
Var detach(Var x) {
  const Var result = call(std::make_shared<Identity>(x.shape()), x);
  x.graph()->node(result.node()).blocks_gradient = true;
  return with_remake(
      result, [](std::span<const Operand> operands, Ids) { return detach(operands[0].var); });
}

}  // namespace recloom::nn
