// Ops along the time axis of a history.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "kernels/vector.hpp"
#include "nn/graph_impl.hpp"
#include "nn/ops_internal.hpp"
#include "nn/parameter_data.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

void require_time(std::string_view op, const Shape& x) {
  if (x.rank != 2)
    throw ModelError(fmt::format("{}: shape {} is not [time, size]", op, to_text(x)));
}
Shape per_time(const Shape& x) { return {x.extent[1]}; }

class SumOverTime final : public ShapedOp {
 public:
  explicit SumOverTime(const Shape& x)
      : shape_(per_time(x)),
        length_(static_cast<std::size_t>(x.extent[0])),
        d_(static_cast<std::size_t>(x.extent[1])) {}
  std::string_view name() const noexcept override { return "sum_over_time"; }
  Shape output_shape(std::span<const Shape>) const override { return shape_; }
  void forward(const OpForward& c) const override {
    std::fill(c.output.begin(), c.output.end(), 0.0F);
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t t = 0; t < length_; ++t)
        kernels::add(d_, c.inputs[0].data() + (r * length_ + t) * d_, c.output.data() + r * d_);
  }
  void backward(const OpBackward& c) const override {
    if (c.input_gradients[0].empty()) return;
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t t = 0; t < length_; ++t)
        kernels::add(d_, c.output_gradient.data() + r * d_,
                     c.input_gradients[0].data() + (r * length_ + t) * d_);
  }

 private:
  Shape shape_;
  std::size_t length_, d_;
};

class MaxOverTime final : public ShapedOp {
 public:
  explicit MaxOverTime(const Shape& x)
      : shape_(per_time(x)),
        length_(static_cast<std::size_t>(x.extent[0])),
        d_(static_cast<std::size_t>(x.extent[1])) {}
  std::string_view name() const noexcept override { return "max_over_time"; }
  Shape output_shape(std::span<const Shape>) const override { return shape_; }
  std::size_t saved_size(std::span<const Shape>) const override { return d_; }
  void forward(const OpForward& c) const override {
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t e = 0; e < d_; ++e) {
        const float* x = c.inputs[0].data() + r * length_ * d_ + e;
        std::size_t best = 0;
        for (std::size_t t = 1; t < length_; ++t)
          if (x[t * d_] > x[best * d_] || std::isnan(x[t * d_])) best = t;
        c.output[r * d_ + e] = x[best * d_];
        c.saved[r * d_ + e] = static_cast<float>(best);
      }
  }
  void backward(const OpBackward& c) const override {
    if (c.input_gradients[0].empty()) return;
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t e = 0; e < d_; ++e) {
        const auto t = static_cast<std::size_t>(c.saved[r * d_ + e]);
        c.input_gradients[0][(r * length_ + t) * d_ + e] += c.output_gradient[r * d_ + e];
      }
  }

 private:
  Shape shape_;
  std::size_t length_, d_;
};

/// x [L, d], positions [M] -> [M, d].
class Select final : public ShapedOp {
 public:
  Select(const Shape& x, const Shape& positions)
      : length_(static_cast<std::size_t>(x.extent[0])),
        d_(static_cast<std::size_t>(x.extent[1])),
        m_(count(positions)) {
    shape_ = positions.rank == 0 ? Shape{x.extent[1]} : Shape{positions.extent[0], x.extent[1]};
  }
  std::string_view name() const noexcept override { return "select"; }
  Shape output_shape(std::span<const Shape>) const override { return shape_; }
  void forward(const OpForward& c) const override {
    for (std::size_t e = 0; e < c.rows * m_; ++e)
      std::copy_n(c.inputs[0].data() + place(c, e), d_, c.output.data() + e * d_);
  }
  void backward(const OpBackward& c) const override {
    if (c.input_gradients[0].empty()) return;
    for (std::size_t e = 0; e < c.rows * m_; ++e)
      kernels::add(d_, c.output_gradient.data() + e * d_,
                   c.input_gradients[0].data() + place(c, e));
  }

 private:
  std::size_t place(const OpContext& c, std::size_t e) const {
    const auto position = static_cast<std::size_t>(c.ids[0][e]);
    if (position >= length_)
      throw ModelError(fmt::format("select: position {} of {}", c.ids[0][e], length_));
    return (e / m_ * length_ + position) * d_;
  }
  Shape shape_;
  std::size_t length_, d_, m_;
};

/// ids [L] -> [L, 1]: 1 where an id is not 0.
class NotZero final : public ShapedOp {
 public:
  explicit NotZero(const Shape& ids) : shape_{ids.extent[0], 1} {}
  std::string_view name() const noexcept override { return "mask"; }
  Shape output_shape(std::span<const Shape>) const override { return shape_; }
  Reach reach(std::size_t, std::span<const Shape>) const override { return Reach::same; }
  void forward(const OpForward& c) const override {
    for (std::size_t e = 0; e < c.output.size(); ++e) c.output[e] = c.ids[0][e] != 0 ? 1.0F : 0.0F;
  }
  void backward(const OpBackward&) const override {}

 private:
  Shape shape_;
};

/// ids [L] -> [1]: how many are not 0, at least 1.
class Length final : public ShapedOp {
 public:
  explicit Length(const Shape& ids) : length_(static_cast<std::size_t>(ids.extent[0])) {}
  std::string_view name() const noexcept override { return "length"; }
  Shape output_shape(std::span<const Shape>) const override { return {1}; }
  void forward(const OpForward& c) const override {
    for (std::size_t r = 0; r < c.rows; ++r) {
      const auto row = c.ids[0].subspan(r * length_, length_);
      const auto pads = std::count(row.begin(), row.end(), 0);
      const auto items = static_cast<std::ptrdiff_t>(length_) - pads;
      c.output[r] = static_cast<float>(std::max<std::ptrdiff_t>(1, items));
    }
  }
  void backward(const OpBackward&) const override {}

 private:
  std::size_t length_;
};

}  // namespace

Var sum_over_time(Var x) {
  require_time("sum_over_time", x.shape());
  return call(std::make_shared<SumOverTime>(x.shape()), x);
}
Var max_over_time(Var x) {
  require_time("max_over_time", x.shape());
  require_nameable(x.shape().extent[0], "max_over_time");
  return call(std::make_shared<MaxOverTime>(x.shape()), x);
}
Var take(Var x, int position) {
  require_time("take", x.shape());
  const int length = x.shape().extent[0];
  const int place = position < 0 ? length + position : position;
  if (place < 0 || place >= length)
    throw ModelError(fmt::format("take: position {} of a history of {}", position, length));
  const Ids at = x.graph()->add_ids(
      "position", {},
      {.fill = [place](const Derivation&, std::span<std::int32_t> out) { out[0] = place; },
       .constant = true});
  return select(x, at);
}
Var select(Var x, Ids positions) {
  require_time("select", x.shape());
  if (positions.shape().rank > 1)
    throw ModelError(fmt::format("select: positions have shape {}", to_text(positions.shape())));
  return call(std::make_shared<Select>(x.shape(), positions.shape()), x, positions);
}

Var not_zero(Ids ids) { return call(std::make_shared<NotZero>(ids.shape()), ids); }
Var length_of(Ids ids) { return call(std::make_shared<Length>(ids.shape()), ids); }

}  // namespace recloom::nn
