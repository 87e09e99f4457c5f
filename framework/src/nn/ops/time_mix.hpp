#pragma once
#include <string_view>

#include "nn/ops/over_items.hpp"
#include "recloom/nn/parameters.hpp"
#include "recloom/nn/var.hpp"

namespace recloom::nn {

/// nv filters over the L positions of every column: y[f] = sum_t w[f, t] x[t] + b[f] (Caser, eq.
/// 7). Operands: x [L, d], weight [nv, 1, L, 1], bias [nv].
class TimeMixOp final : public OverItemsOp {
 public:
  std::string_view name() const noexcept override { return "time_mix"; }
  Shape output_shape(const OpShapes& shapes) const override;
  double flops(const OpShapes& shapes) const override;
  void forward(const OpForward& c) const override;
  void backward(const OpBackward& c) const override;
};

Var time_mix(Var x, Parameter weight, Parameter bias);  ///< [L, d] -> [nv, d].

}  // namespace recloom::nn
