#pragma once
#include <atomic>
#include <cstddef>
#include <string_view>

#include "recloom/core/error.hpp"
#include "recloom/nn/op.hpp"

namespace recloom::nn {

/// y[t] = rate * (x[t] + before x[t-1]) (1 + by_place t), x [time, size], rate [1]: an op as the
/// author of a plugin would write it, and what he may say of it.
class OwnOp final : public Op {
 public:
  /// What it makes of other lengths than it was made for.
  enum class Otherwise : char { the_same, throws, throws_a_number, another_shape };
  struct Settings {
    Reach reach = Reach::same;
    float before = 0, by_place = 0;
    int made_for = 0;  ///< Positions; 0: any number.
    Otherwise otherwise = Otherwise::the_same;
  };

  explicit OwnOp(const Settings& settings) : o(settings) {}
  std::string_view name() const noexcept override { return "own"; }
  Shape output_shape(const OpShapes& shapes) const override {
    const Shape& x = shapes.inputs[0];
    if (x.extent[0] == o.made_for || o.otherwise == Otherwise::the_same) return x;
    if (o.otherwise == Otherwise::throws) throw ModelError("own: wants all positions");
    if (o.otherwise == Otherwise::throws_a_number) throw 7;
    return {o.made_for, x.extent[1]};
  }
  Reach reach(std::size_t operand, const OpShapes&) const override {
    return operand == 0 ? o.reach : Reach::unknown;
  }
  void forward(const OpForward& c) const override {
    vectors += c.output.size() / size_of(c);
    for_each(c, [&](std::size_t e, std::size_t t, float factor) {
      c.output[e] = c.inputs[1][0] * factor * seen(c, e, t);
    });
  }
  void backward(const OpBackward& c) const override {
    for_each(c, [&](std::size_t e, std::size_t t, float factor) {
      const float g = c.diff_output[e] * factor;
      if (!c.diff_inputs[0].empty()) c.diff_inputs[0][e] += c.inputs[1][0] * g;
      if (!c.diff_inputs[0].empty() && o.before != 0 && t > 0)
        c.diff_inputs[0][e - size_of(c)] += o.before * c.inputs[1][0] * g;
      if (!c.diff_inputs[1].empty()) c.diff_inputs[1][0] += g * seen(c, e, t);
    });
  }

  mutable std::atomic<std::size_t> vectors = 0;  ///< How many it has computed.

 private:
  static std::size_t size_of(const OpContext& c) {
    return static_cast<std::size_t>(c.shapes.inputs[0].last());
  }
  float seen(const OpContext& c, std::size_t e, std::size_t t) const {
    const float before = o.before != 0 && t > 0 ? c.inputs[0][e - size_of(c)] : 0.0F;
    return c.inputs[0][e] + o.before * before;
  }
  template <class Body>
  void for_each(const OpContext& c, const Body& body) const {
    const std::size_t d = size_of(c), length = count(c.shapes.inputs[0]) / d;
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t t = 0; t < length; ++t)
        for (std::size_t e = (r * length + t) * d; e < (r * length + t + 1) * d; ++e)
          body(e, t, 1 + o.by_place * static_cast<float>(c.position(r, t)));
  }

  const Settings o;
};

}  // namespace recloom::nn
