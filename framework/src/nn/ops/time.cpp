// Ops along the time axis of a history.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "kernels/vector.hpp"
#include "nn/graph/graph.hpp"
#include "nn/graph/parameter_data.hpp"
#include "nn/ops/history.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/op.hpp"
#include "recloom/nn/ops.hpp"

namespace recloom::nn {
namespace {

/// An op on [L, d].
class TimeOp : public Op {
 protected:
  struct Sizes {
    explicit Sizes(const OpContext& c)
        : length(static_cast<std::size_t>(c.shapes.inputs[0].extent[0])),
          d(static_cast<std::size_t>(c.shapes.inputs[0].extent[1])) {}
    std::size_t length, d;
  };
  void require_time(const Shape& x) const {
    if (x.rank != 2)
      throw ModelError(fmt::format("{}: shape {} is not [time, size]", name(), to_text(x)));
  }
};

class SumOverTime final : public TimeOp {
 public:
  std::string_view name() const noexcept override { return "sum_over_time"; }
  Shape output_shape(const OpShapes& shapes) const override {
    require_time(shapes.inputs[0]);
    return {shapes.inputs[0].extent[1]};
  }
  void forward(const OpForward& c) const override {
    const auto [length, d] = Sizes(c);
    std::fill(c.output.begin(), c.output.end(), 0.0F);
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t t = 0; t < length; ++t)
        kernels::add(d, c.inputs[0].data() + (r * length + t) * d, c.output.data() + r * d);
  }
  void backward(const OpBackward& c) const override {
    if (c.diff_inputs[0].empty()) return;
    const auto [length, d] = Sizes(c);
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t t = 0; t < length; ++t)
        kernels::add(d, c.diff_output.data() + r * d,
                     c.diff_inputs[0].data() + (r * length + t) * d);
  }
};

/// Saved: the winning positions.
class MaxOverTime final : public TimeOp {
 public:
  std::string_view name() const noexcept override { return "max_over_time"; }
  Shape output_shape(const OpShapes& shapes) const override {
    require_time(shapes.inputs[0]);
    require_nameable(shapes.inputs[0].extent[0], "max_over_time");
    return {shapes.inputs[0].extent[1]};
  }
  std::size_t saved_size(const OpShapes& shapes) const override {
    return static_cast<std::size_t>(shapes.inputs[0].extent[1]);
  }
  void forward(const OpForward& c) const override {
    const auto [length, d] = Sizes(c);
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t e = 0; e < d; ++e) {
        const float* x = c.inputs[0].data() + r * length * d + e;
        std::size_t best = 0;
        for (std::size_t t = 1; t < length; ++t)
          if (x[t * d] > x[best * d] || std::isnan(x[t * d])) best = t;
        c.output[r * d + e] = x[best * d];
        c.saved[r * d + e] = static_cast<float>(best);
      }
  }
  void backward(const OpBackward& c) const override {
    if (c.diff_inputs[0].empty()) return;
    const auto [length, d] = Sizes(c);
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t e = 0; e < d; ++e) {
        const auto t = static_cast<std::size_t>(c.saved[r * d + e]);
        c.diff_inputs[0][(r * length + t) * d + e] += c.diff_output[r * d + e];
      }
  }
};

/// x [L, d], positions [M] -> [M, d]; of one position, [], the time axis may stay: [1, d].
class Select final : public TimeOp {
 public:
  explicit Select(bool keeps_time) : keeps_time_(keeps_time) {}
  std::string_view name() const noexcept override { return "select"; }
  Shape output_shape(const OpShapes& shapes) const override {
    const Shape &x = shapes.inputs[0], &positions = shapes.ids[0];
    require_time(x);
    if (positions.rank > 1)
      throw ModelError(fmt::format("select: positions have shape {}", to_text(positions)));
    if (positions.rank == 1) return {positions.extent[0], x.extent[1]};
    return keeps_time_ ? Shape{1, x.extent[1]} : Shape{x.extent[1]};
  }
  void forward(const OpForward& c) const override {
    for_each(c, [&](std::size_t from, std::size_t to, std::size_t d) {
      std::copy_n(c.inputs[0].data() + from, d, c.output.data() + to);
    });
  }
  void backward(const OpBackward& c) const override {
    if (c.diff_inputs[0].empty()) return;
    for_each(c, [&](std::size_t from, std::size_t to, std::size_t d) {
      kernels::add(d, c.diff_output.data() + to, c.diff_inputs[0].data() + from);
    });
  }

 private:
  /// Call body(place in x, place in the output, d) for every position.
  template <class Body>
  static void for_each(const OpContext& c, Body body) {
    const auto [length, d] = Sizes(c);
    const std::size_t positions = count(c.shapes.ids[0]);
    for (std::size_t e = 0; e < c.ids[0].size(); ++e) {
      const auto position = static_cast<std::size_t>(c.ids[0][e]);
      if (position >= length)
        throw ModelError(fmt::format("select: position {} of {}", c.ids[0][e], length));
      body((e / positions * length + position) * d, e * d, d);
    }
  }
  bool keeps_time_;
};

/// ids [L] -> [L, 1]: 1 where an id is not 0.
class NotZero final : public Op {
 public:
  std::string_view name() const noexcept override { return "mask"; }
  Shape output_shape(const OpShapes& shapes) const override { return {shapes.ids[0].extent[0], 1}; }
  Reach reach(std::size_t, const OpShapes&) const override { return Reach::same; }
  void forward(const OpForward& c) const override {
    for (std::size_t e = 0; e < c.output.size(); ++e) c.output[e] = c.ids[0][e] != 0 ? 1.0F : 0.0F;
  }
  void backward(const OpBackward&) const override {}
};

/// ids [L] -> [1]: how many are not 0, at least 1.
class Length final : public Op {
 public:
  std::string_view name() const noexcept override { return "length"; }
  Shape output_shape(const OpShapes&) const override { return {1}; }
  void forward(const OpForward& c) const override {
    const auto length = static_cast<std::size_t>(c.shapes.ids[0].extent[0]);
    for (std::size_t r = 0; r < c.rows; ++r) {
      const auto row = c.ids[0].subspan(r * length, length);
      const auto pads = std::count(row.begin(), row.end(), 0);
      const auto items = static_cast<std::ptrdiff_t>(length) - pads;
      c.output[r] = static_cast<float>(std::max<std::ptrdiff_t>(1, items));
    }
  }
  void backward(const OpBackward&) const override {}
};

}  // namespace

Var sum_over_time(Var x) { return call(std::make_shared<SumOverTime>(), x); }
Var max_over_time(Var x) { return call(std::make_shared<MaxOverTime>(), x); }
Var take(Var x, int position) {
  const Shape shape = x.shape();
  if (shape.rank != 2)
    throw ModelError(fmt::format("take: shape {} is not [time, size]", to_text(shape)));
  const int length = shape.extent[0];
  const int place = position < 0 ? length + position : position;
  if (place < 0 || place >= length)
    throw ModelError(fmt::format("take: position {} of a history of {}", position, length));
  const Ids at = x.graph()->add_ids(
      "position",
      {.shape = {},
       .fill = [place](const Derivation&, std::span<std::int32_t> out) { out[0] = place; },
       .constant = true});
  return select(x, at);
}
Var select(Var x, Ids positions) { return call(std::make_shared<Select>(false), x, positions); }
Var select_one(Var x, Ids position) { return call(std::make_shared<Select>(true), x, position); }

Var not_zero(Ids ids) { return call(std::make_shared<NotZero>(), ids); }
Var length_of(Ids ids) { return call(std::make_shared<Length>(), ids); }
bool ignores_pads(const Op& op) { return dynamic_cast<const Length*>(&op) != nullptr; }

}  // namespace recloom::nn
