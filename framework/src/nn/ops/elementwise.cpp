// Elementwise ops: unary functions, and sums and products with broadcasting.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "kernels/activations.hpp"
#include "kernels/vector.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/op.hpp"
#include "recloom/nn/ops.hpp"

namespace recloom::nn {
namespace {

/// y = f(x), dx += dy f'(x, y). Function: value(x) or, of arrays, values(n, x, y); slope(x, y) or
/// slopes(n, x, dy, dx, whether to add).
template <class Function>
class Unary final : public Op {
 public:
  Unary(std::string_view name, Function function) : name_(name), f_(function) {}
  std::string_view name() const noexcept override { return name_; }
  Shape output_shape(const OpShapes& shapes) const override { return shapes.inputs[0]; }
  Reach reach(std::size_t, const OpShapes&) const override { return Reach::same; }
  bool takes_first_write() const noexcept override { return true; }
  void forward(const OpForward& c) const override {
    const std::span<const float> x = c.inputs[0];
    if constexpr (requires { f_.values(x.size(), x.data(), c.output.data()); })
      f_.values(x.size(), x.data(), c.output.data());
    else
      for (std::size_t e = 0; e < x.size(); ++e) c.output[e] = f_.value(x[e]);
  }
  void backward(const OpBackward& c) const override {
    const std::span<float> dx = c.diff_inputs[0];
    const float *x = c.inputs[0].data(), *dy = c.diff_output.data();
    const bool add = c.first_write[0] == 0;
    if constexpr (requires { f_.slopes(dx.size(), x, dy, dx.data(), add); })
      f_.slopes(dx.size(), x, dy, dx.data(), add);
    else
      for (std::size_t e = 0; e < dx.size(); ++e)
        dx[e] = (add ? dx[e] : 0.0F) + dy[e] * f_.slope(x[e], c.output[e]);
  }

 private:
  std::string_view name_;
  Function f_;
};
template <class Function>
Var unary(std::string_view name, Var x, Function function) {
  return call(std::make_shared<Unary<Function>>(name, function), x);
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
  float value(float x) const { return std::pow(x, exponent); }
  float slope(float x, float) const { return exponent * std::pow(x, exponent - 1); }
};
struct Affine {
  float factor, offset;
  float value(float x) const { return factor * x + offset; }
  float slope(float, float) const { return factor; }
};

class Relu final : public Op {
 public:
  std::string_view name() const noexcept override { return "relu"; }
  Shape output_shape(const OpShapes& shapes) const override { return shapes.inputs[0]; }
  Reach reach(std::size_t, const OpShapes&) const override { return Reach::same; }
  void forward(const OpForward& c) const override {
    kernels::relu(c.output.size(), c.inputs[0].data(), c.output.data());
  }
  void backward(const OpBackward& c) const override {
    if (!c.diff_inputs[0].empty())
      kernels::relu_backward(c.output.size(), c.output.data(), c.diff_output.data(),
                             c.diff_inputs[0].data());
  }
};

/// At one position, the mask is the one that the whole history has there.
class Dropout final : public Op {
 public:
  explicit Dropout(double p) : p_(p) {}
  std::string_view name() const noexcept override { return "dropout"; }
  Shape output_shape(const OpShapes& shapes) const override { return shapes.inputs[0]; }
  Reach reach(std::size_t, const OpShapes&) const override { return Reach::same; }
  bool takes_first_write() const noexcept override { return true; }
  void forward(const OpForward& c) const override {
    if (c.training)
      drop(c, c.inputs[0].data(), c.output.data(), false);
    else
      std::ranges::copy(c.inputs[0], c.output.begin());
  }
  void backward(const OpBackward& c) const override {
    if (!c.diff_inputs[0].empty())
      drop(c, c.diff_output.data(), c.diff_inputs[0].data(), c.first_write[0] == 0);
  }

 private:
  void drop(const OpContext& c, const float* src, float* dst, bool add) const {
    const std::size_t n = count(c.output_shape);
    for (std::size_t r = 0; r < c.rows; ++r)
      kernels::dropout(c.key, static_cast<std::uint64_t>(c.row_ids[r]), p_, n, src + r * n,
                       dst + r * n, add, c.position(r, 0) * n);
  }
  double p_;
};

/// Where an element of an operand lies, given the place of the output's element: strides are 0
/// along repeated axes.
class Broadcast {
 public:
  Broadcast(const Shape& output, const Shape& a, const Shape& b)
      : stride_a_(strides(a)), stride_b_(strides(b)) {
    for (int axis = 0; axis < output.rank; ++axis)
      extent_[static_cast<std::size_t>(axis + 4 - output.rank)] =
          static_cast<std::size_t>(output.extent[axis]);
  }
  /// Call body(out, a, b) with the offsets of every element of one row.
  template <class Body>
  void for_each(Body body) const {
    std::size_t out = 0;
    for (std::size_t i = 0; i < extent_[0]; ++i)
      for (std::size_t j = 0; j < extent_[1]; ++j)
        for (std::size_t k = 0; k < extent_[2]; ++k) {
          const std::size_t a = i * stride_a_[0] + j * stride_a_[1] + k * stride_a_[2];
          const std::size_t b = i * stride_b_[0] + j * stride_b_[1] + k * stride_b_[2];
          for (std::size_t l = 0; l < extent_[3]; ++l, ++out)
            body(out, a + l * stride_a_[3], b + l * stride_b_[3]);
        }
  }

 private:
  using Extents = std::array<std::size_t, 4>;
  static Extents strides(const Shape& s) {
    Extents result{};
    std::size_t stride = 1;
    for (int axis = s.rank - 1; axis >= 0; --axis) {
      if (s.extent[axis] != 1) result[static_cast<std::size_t>(axis + 4 - s.rank)] = stride;
      stride *= static_cast<std::size_t>(s.extent[axis]);
    }
    return result;
  }
  Extents extent_{1, 1, 1, 1}, stride_a_, stride_b_;
};

enum class Arithmetic { add, subtract, multiply };

class Binary final : public Op {
 public:
  explicit Binary(Arithmetic kind) : kind_(kind) {}
  std::string_view name() const noexcept override { return kNames[static_cast<int>(kind_)]; }
  Shape output_shape(const OpShapes& shapes) const override {
    const Shape &a = shapes.inputs[0], &b = shapes.inputs[1];
    Shape output;
    output.rank = std::max(a.rank, b.rank);
    for (int axis = 0; axis < output.rank; ++axis) {
      const int ea = extent_of(a, axis - output.rank), eb = extent_of(b, axis - output.rank);
      if (ea != eb && ea != 1 && eb != 1)
        throw ModelError(
            fmt::format("{}: shapes {} and {} do not fit", name(), to_text(a), to_text(b)));
      output.extent[axis] = std::max(ea, eb);
    }
    return output;
  }
  /// Of an operand that is not repeated along the output's first axis.
  Reach reach(std::size_t operand, const OpShapes& shapes) const override {
    const Shape &x = shapes.inputs[operand], y = output_shape(shapes);
    return x.rank == y.rank && x.extent[0] == y.extent[0] ? Reach::same : Reach::unknown;
  }
  bool takes_one_of_positions() const noexcept override { return true; }
  bool takes_first_write() const noexcept override { return kind_ == Arithmetic::add; }
  void forward(const OpForward& c) const override {
    if (kind_ == Arithmetic::add && is_plain(c)) {
      std::ranges::copy(c.inputs[0], c.output.begin());
      kernels::add(c.output.size(), c.inputs[1].data(), c.output.data());
      return;
    }
    const Broadcast where(c.output_shape, c.shapes.inputs[0], c.shapes.inputs[1]);
    const std::size_t n = count(c.output_shape);
    for (std::size_t r = 0; r < c.rows; ++r) {
      const float *a = row(c, 0, r), *b = row(c, 1, r);
      float* y = c.output.data() + r * n;
      switch (kind_) {
        case Arithmetic::add:
          where.for_each([&](auto o, auto ia, auto ib) { y[o] = a[ia] + b[ib]; });
          break;
        case Arithmetic::subtract:
          where.for_each([&](auto o, auto ia, auto ib) { y[o] = a[ia] - b[ib]; });
          break;
        case Arithmetic::multiply:
          where.for_each([&](auto o, auto ia, auto ib) { y[o] = a[ia] * b[ib]; });
          break;
      }
    }
  }
  void backward(const OpBackward& c) const override {
    if (kind_ == Arithmetic::add && is_plain(c)) return pass_on(c);
    for (std::size_t input = 0; input < 2; ++input)
      if (kind_ == Arithmetic::add && c.first_write[input] != 0)
        std::ranges::fill(c.diff_inputs[input], 0.0F);
    const Broadcast where(c.output_shape, c.shapes.inputs[0], c.shapes.inputs[1]);
    const std::size_t n = count(c.output_shape);
    const std::span<float> da = c.diff_inputs[0], db = c.diff_inputs[1];
    const float sign = kind_ == Arithmetic::subtract ? -1.0F : 1.0F;
    for (std::size_t r = 0; r < c.rows; ++r) {
      const float* dy = c.diff_output.data() + r * n;
      const float *a = row(c, 0, r), *b = row(c, 1, r);
      float* ga = da.empty() ? nullptr : da.data() + (a - c.inputs[0].data());
      float* gb = db.empty() ? nullptr : db.data() + (b - c.inputs[1].data());
      const bool product = kind_ == Arithmetic::multiply;
      where.for_each([&](auto o, auto ia, auto ib) {
        if (ga) ga[ia] += product ? dy[o] * b[ib] : dy[o];
        if (gb) gb[ib] += product ? dy[o] * a[ia] : sign * dy[o];
      });
    }
  }

 private:
  static constexpr std::string_view kNames[] = {"add", "subtract", "multiply"};
  /// @param from_end -1 is the last axis.
  static int extent_of(const Shape& s, int from_end) {
    return s.rank + from_end < 0 ? 1 : s.extent[s.rank + from_end];
  }
  /// Whether nothing is repeated.
  static bool is_plain(const OpContext& c) {
    const std::size_t n = c.rows * count(c.output_shape);
    return c.inputs[0].size() == n && c.inputs[1].size() == n;
  }
  /// Of a sum of which nothing is repeated.
  static void pass_on(const OpBackward& c) {
    for (std::size_t input = 0; input < 2; ++input) {
      const std::span<float> diff = c.diff_inputs[input];
      if (c.first_write[input] != 0)
        std::copy_n(c.diff_output.begin(), diff.size(), diff.begin());
      else
        kernels::add(diff.size(), c.diff_output.data(), diff.data());
    }
  }
  /// A row tensor has its own values for every row, a parameter the same.
  static const float* row(const OpContext& c, std::size_t input, std::size_t r) {
    const std::size_t n = count(c.shapes.inputs[input]);
    return c.inputs[input].data() + (c.inputs[input].size() == c.rows * n ? r * n : 0);
  }
  Arithmetic kind_;
};

template <class Right>
Var binary(Arithmetic kind, Var a, Right b) {
  return call(std::make_shared<Binary>(kind), a, b);
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
Var relu(Var x) { return call(std::make_shared<Relu>(), x); }
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
  return call(std::make_shared<Dropout>(p), x);
}

}  // namespace recloom::nn
