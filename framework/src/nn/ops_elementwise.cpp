// Elementwise ops: unary functions, and sums and products with broadcasting.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <type_traits>
#include <utility>

#include "kernels/activations.hpp"
#include "kernels/vector.hpp"
#include "nn/graph_impl.hpp"
#include "nn/ops_internal.hpp"
#include "nn/parameter_data.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/graph.hpp"
#include "recloom/nn/op.hpp"

namespace recloom::nn {
namespace {

/// y = f(x), dx += dy f'(x, y). Function: value(x) or, of arrays, values(n, x, y); slope(x, y) or
/// slopes(n, x, dy, dx, whether to add).
template <class Function>
class Unary final : public ShapedOp {
 public:
  Unary(std::string_view name, Shape shape, Function function)
      : name_(name), shape_(shape), f_(function) {}
  std::string_view name() const noexcept override { return name_; }
  Shape output_shape(std::span<const Shape>) const override { return shape_; }
  std::array<double, 2> constants() const override {
    if constexpr (std::is_empty_v<Function>)
      return {};
    else
      return f_.constants();
  }
  Reach reach(std::size_t, std::span<const Shape>) const override { return Reach::same; }
  void forward(const OpForward& c) const override {
    const std::span<const float> x = c.inputs[0];
    if constexpr (requires { f_.values(x.size(), x.data(), c.output.data()); })
      f_.values(x.size(), x.data(), c.output.data());
    else
      for (std::size_t e = 0; e < x.size(); ++e) c.output[e] = f_.value(x[e]);
  }
  void backward(const OpBackward& c) const override { backward_into(c, kNothingFresh); }
  void backward_into(const OpBackward& c, std::span<const char> fresh) const override {
    const std::span<float> dx = c.input_gradients[0];
    const float *x = c.inputs[0].data(), *dy = c.output_gradient.data();
    const bool add = fresh[0] == 0;
    if constexpr (requires { f_.slopes(dx.size(), x, dy, dx.data(), add); })
      f_.slopes(dx.size(), x, dy, dx.data(), add);
    else
      for (std::size_t e = 0; e < dx.size(); ++e)
        dx[e] = (add ? dx[e] : 0.0F) + dy[e] * f_.slope(x[e], c.output[e]);
  }

 private:
  std::string_view name_;
  Shape shape_;
  Function f_;
};
template <class Function>
Var unary(std::string_view name, Var x, Function function) {
  return with_remake(call(std::make_shared<Unary<Function>>(name, x.shape(), function), x),
                     [name, function](std::span<const Operand> operands, Ids) {
                       return unary(name, operands[0].var, function);
                     });
}

struct Tanh {
  void values(std::size_t n, const float* x, float* y) const { kernels::tanh(n, x, y); }
  float slope(float, float y) const { return 1 - y * y; }
};
struct Sigmoid {
  void values(std::size_t n, const float* x, float* y) const { kernels::sigmoid(n, x, y); }
  float slope(float, float y) const { return y * (1 - y); }
};
struct Gelu {
  void values(std::size_t n, const float* x, float* y) const { kernels::gelu(n, x, y); }
  void slopes(std::size_t n, const float* x, const float* dy, float* dx, bool add) const {
    kernels::gelu_backward(n, x, dy, dx, add);
  }
};
struct Swish {
  void values(std::size_t n, const float* x, float* y) const { kernels::swish(n, x, y); }
  void slopes(std::size_t n, const float* x, const float* dy, float* dx, bool add) const {
    kernels::swish_backward(n, x, dy, dx, add);
  }
};
struct Exp {
  void values(std::size_t n, const float* x, float* y) const { kernels::exp(n, x, y); }
  float slope(float, float y) const { return y; }
};
struct Log {
  void values(std::size_t n, const float* x, float* y) const { kernels::log(n, x, y); }
  float slope(float x, float) const { return 1 / x; }
};
struct Power {
  float exponent;
  std::array<double, 2> constants() const { return {exponent, 0}; }
  float value(float x) const { return std::pow(x, exponent); }
  float slope(float x, float) const { return exponent * std::pow(x, exponent - 1); }
};
struct Affine {
  float factor, offset;
  std::array<double, 2> constants() const { return {factor, offset}; }
  float value(float x) const { return factor * x + offset; }
  float slope(float, float) const { return factor; }
};

class Relu final : public ShapedOp {
 public:
  explicit Relu(Shape shape) : shape_(shape) {}
  std::string_view name() const noexcept override { return "relu"; }
  Shape output_shape(std::span<const Shape>) const override { return shape_; }
  Reach reach(std::size_t, std::span<const Shape>) const override { return Reach::same; }
  void forward(const OpForward& c) const override {
    kernels::relu(c.output.size(), c.inputs[0].data(), c.output.data());
  }
  void backward(const OpBackward& c) const override {
    if (!c.input_gradients[0].empty())
      kernels::relu_backward(c.output.size(), c.output.data(), c.output_gradient.data(),
                             c.input_gradients[0].data());
  }

 private:
  Shape shape_;
};

/// Operands: x, then, if that is what stands at one position, the position: the mask is the one
/// that the whole history has there.
class Dropout final : public ShapedOp {
 public:
  Dropout(Shape shape, double p) : shape_(shape), p_(p) {}
  std::string_view name() const noexcept override { return "dropout"; }
  std::array<double, 2> constants() const override { return {p_, 0}; }
  Shape output_shape(std::span<const Shape>) const override { return shape_; }
  Reach reach(std::size_t, std::span<const Shape>) const override { return Reach::same; }
  void forward(const OpForward& c) const override {
    const float* src = c.inputs[0].data();
    if (!c.training) {
      std::copy(c.inputs[0].begin(), c.inputs[0].end(), c.output.begin());
      return;
    }
    const std::size_t n = count(shape_);
    for (std::size_t r = 0; r < c.rows; ++r)
      kernels::dropout(c.key, static_cast<std::uint64_t>(c.row_ids[r]), p_, n, src + r * n,
                       c.output.data() + r * n, false, first(c, r));
  }
  void backward(const OpBackward& c) const override { backward_into(c, kNothingFresh); }
  void backward_into(const OpBackward& c, std::span<const char> fresh) const override {
    if (c.input_gradients[0].empty()) return;
    const std::size_t n = count(shape_);
    for (std::size_t r = 0; r < c.rows; ++r)
      kernels::dropout(c.key, static_cast<std::uint64_t>(c.row_ids[r]), p_, n,
                       c.output_gradient.data() + r * n, c.input_gradients[0].data() + r * n,
                       fresh[0] == 0, first(c, r));
  }

 private:
  std::size_t first(const OpContext& c, std::size_t row) const {
    return c.ids.empty() ? 0 : static_cast<std::size_t>(c.ids[0][row]) * count(shape_);
  }
  Shape shape_;
  double p_;
};

/// Where an element of an operand lies, given the place of the output's element: strides are 0
/// along repeated axes.
struct Broadcast {
  std::array<std::size_t, 4> extent{1, 1, 1, 1}, stride_a{}, stride_b{};
  Shape shape;

  Broadcast(std::string_view op, const Shape& a, const Shape& b) {
    shape.rank = std::max(a.rank, b.rank);
    for (int axis = 0; axis < shape.rank; ++axis) {
      const int ea = extent_of(a, axis), eb = extent_of(b, axis);
      if (ea != eb && ea != 1 && eb != 1)
        throw ModelError(
            fmt::format("{}: shapes {} and {} do not fit", op, to_text(a), to_text(b)));
      shape.extent[axis] = std::max(ea, eb);
      extent[static_cast<std::size_t>(axis + 4 - shape.rank)] =
          static_cast<std::size_t>(shape.extent[axis]);
    }
    stride_a = strides(a);
    stride_b = strides(b);
  }
  /// Call body(out, a, b) with the offsets of every element of one row.
  template <class Body>
  void for_each(Body body) const {
    std::size_t out = 0;
    for (std::size_t i = 0; i < extent[0]; ++i)
      for (std::size_t j = 0; j < extent[1]; ++j)
        for (std::size_t k = 0; k < extent[2]; ++k) {
          const std::size_t a = i * stride_a[0] + j * stride_a[1] + k * stride_a[2];
          const std::size_t b = i * stride_b[0] + j * stride_b[1] + k * stride_b[2];
          for (std::size_t l = 0; l < extent[3]; ++l, ++out)
            body(out, a + l * stride_a[3], b + l * stride_b[3]);
        }
  }

 private:
  int extent_of(const Shape& s, int axis) const {
    const int own = axis - (shape.rank - s.rank);
    return own < 0 ? 1 : s.extent[own];
  }
  std::array<std::size_t, 4> strides(const Shape& s) const {
    std::array<std::size_t, 4> result{};
    std::size_t stride = 1;
    for (int axis = s.rank - 1; axis >= 0; --axis) {
      if (s.extent[axis] != 1) result[static_cast<std::size_t>(axis + 4 - s.rank)] = stride;
      stride *= static_cast<std::size_t>(s.extent[axis]);
    }
    return result;
  }
};

enum class Arithmetic { add, subtract, multiply };

class Binary final : public ShapedOp {
 public:
  Binary(Arithmetic kind, const Shape& a, const Shape& b)
      : kind_(kind), where_(kNames[static_cast<int>(kind)], a, b), n_a_(count(a)), n_b_(count(b)) {}
  std::string_view name() const noexcept override { return kNames[static_cast<int>(kind_)]; }
  Shape output_shape(std::span<const Shape>) const override { return where_.shape; }
  /// Of an operand that is not repeated along the output's first axis.
  Reach reach(std::size_t operand, std::span<const Shape> inputs) const override {
    const Shape& x = inputs[operand];
    const bool aligned = x.rank == where_.shape.rank && x.extent[0] == where_.shape.extent[0];
    return aligned ? Reach::same : Reach::unknown;
  }
  void forward(const OpForward& c) const override {
    const std::size_t n = count(where_.shape);
    if (kind_ == Arithmetic::add && is_plain(c)) {
      std::ranges::copy(c.inputs[0], c.output.begin());
      kernels::add(c.output.size(), c.inputs[1].data(), c.output.data());
      return;
    }
    for (std::size_t r = 0; r < c.rows; ++r) {
      const float* a = row(c.inputs[0], r, n_a_, c.rows);
      const float* b = row(c.inputs[1], r, n_b_, c.rows);
      float* y = c.output.data() + r * n;
      switch (kind_) {
        case Arithmetic::add:
          where_.for_each([&](auto o, auto ia, auto ib) { y[o] = a[ia] + b[ib]; });
          break;
        case Arithmetic::subtract:
          where_.for_each([&](auto o, auto ia, auto ib) { y[o] = a[ia] - b[ib]; });
          break;
        case Arithmetic::multiply:
          where_.for_each([&](auto o, auto ia, auto ib) { y[o] = a[ia] * b[ib]; });
          break;
      }
    }
  }
  void backward_into(const OpBackward& c, std::span<const char> fresh) const override {
    if (kind_ != Arithmetic::add || !is_plain(c)) return ShapedOp::backward_into(c, fresh);
    for (std::size_t input = 0; input < 2; ++input) {
      const std::span<float> diff = c.input_gradients[input];
      if (fresh[input] != 0)
        std::copy_n(c.output_gradient.begin(), diff.size(), diff.begin());
      else
        kernels::add(diff.size(), c.output_gradient.data(), diff.data());
    }
  }
  void backward(const OpBackward& c) const override {
    const std::size_t n = count(where_.shape);
    const std::span<float> da = c.input_gradients[0], db = c.input_gradients[1];
    const float sign = kind_ == Arithmetic::subtract ? -1.0F : 1.0F;
    for (std::size_t r = 0; r < c.rows; ++r) {
      const float* dy = c.output_gradient.data() + r * n;
      const float* a = row(c.inputs[0], r, n_a_, c.rows);
      const float* b = row(c.inputs[1], r, n_b_, c.rows);
      float* ga = da.empty() ? nullptr : da.data() + (a - c.inputs[0].data());
      float* gb = db.empty() ? nullptr : db.data() + (b - c.inputs[1].data());
      const bool product = kind_ == Arithmetic::multiply;
      where_.for_each([&](auto o, auto ia, auto ib) {
        if (ga) ga[ia] += product ? dy[o] * b[ib] : dy[o];
        if (gb) gb[ib] += product ? dy[o] * a[ia] : sign * dy[o];
      });
    }
  }

 private:
  static constexpr std::string_view kNames[] = {"add", "subtract", "multiply"};
  /// Whether nothing is repeated.
  bool is_plain(const OpContext& c) const {
    const std::size_t n = c.rows * count(where_.shape);
    return c.inputs[0].size() == n && c.inputs[1].size() == n;
  }
  /// A row tensor has its own values for every row, a parameter the same.
  static const float* row(std::span<const float> x, std::size_t r, std::size_t n,
                          std::size_t rows) {
    return x.data() + (x.size() == rows * n ? r * n : 0);
  }
  Arithmetic kind_;
  Broadcast where_;
  std::size_t n_a_, n_b_;
};

/// Whether something that is repeated over positions is so for lack of an axis: then it goes with
/// one position as it is.
bool repeats_by_rank(const Shape& x, const Shape& y) {
  return x.rank < y.rank || (x.rank == y.rank && x.extent[0] == y.extent[0]);
}

Var binary(Arithmetic kind, Var a, Var b) {
  const Var y = call(std::make_shared<Binary>(kind, a.shape(), b.shape()), a, b);
  if (!repeats_by_rank(a.shape(), y.shape()) || !repeats_by_rank(b.shape(), y.shape())) return y;
  return with_remake(y, [kind](std::span<const Operand> operands, Ids) {
    return binary(kind, operands[0].var, operands[1].var);
  });
}
Var binary(Arithmetic kind, Var a, Parameter b) {
  const Var y = call(std::make_shared<Binary>(kind, a.shape(), b.shape()), a, b);
  if (b.shape().rank >= a.shape().rank) return y;  // it may have a value for every position
  return with_remake(y, [kind, b](std::span<const Operand> operands, Ids) {
    return binary(kind, operands[0].var, b);
  });
}

}  // namespace

Var operator+(Var a, Var b) { return binary(Arithmetic::add, a, b); }
Var operator-(Var a, Var b) { return binary(Arithmetic::subtract, a, b); }
Var operator*(Var a, Var b) { return binary(Arithmetic::multiply, a, b); }
Var operator+(Var a, Parameter b) { return binary(Arithmetic::add, a, b); }
Var operator*(Var a, Parameter b) { return binary(Arithmetic::multiply, a, b); }
Var operator+(Var a, double b) { return unary("offset", a, Affine{1, static_cast<float>(b)}); }
Var operator*(double factor, Var a) {
  return unary("scale", a, Affine{static_cast<float>(factor), 0});
}
Var power(Var a, double exponent) { return unary("power", a, Power{static_cast<float>(exponent)}); }
Var relu(Var x) {
  return with_remake(call(std::make_shared<Relu>(x.shape()), x),
                     [](std::span<const Operand> operands, Ids) { return relu(operands[0].var); });
}
Var tanh(Var x) { return unary("tanh", x, Tanh{}); }
Var sigmoid(Var x) { return unary("sigmoid", x, Sigmoid{}); }
Var exp(Var x) { return unary("exp", x, Exp{}); }
Var log(Var x) { return unary("log", x, Log{}); }
Var activate(Var x, Activation f) {
  switch (f) {
    case Activation::identity:
      return x;
    case Activation::relu:
      return relu(x);
    case Activation::tanh:
      return tanh(x);
    case Activation::sigmoid:
      return sigmoid(x);
    case Activation::gelu:
      return unary("gelu", x, Gelu{});
    case Activation::swish:
      return unary("swish", x, Swish{});
  }
  throw InternalError("activate: no such activation");
}
Var dropout(Var x, double p) {
  if (!(p >= 0 && p < 1))
    throw ModelError(fmt::format("dropout: probability {} is not in [0, 1)", p));
  if (p == 0) return x;
  return with_remake(call(std::make_shared<Dropout>(x.shape(), p), x),
                     [p](std::span<const Operand> operands, Ids position) {
                       const Var at_last = operands[0].var;
                       return call(std::make_shared<Dropout>(at_last.shape(), p), at_last,
                                   position);
                     });
}

}  // namespace recloom::nn
