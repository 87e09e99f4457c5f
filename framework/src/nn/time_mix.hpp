#pragma once
#include <cstddef>
#include <string_view>

#include "recloom/nn/op.hpp"

namespace recloom::nn {

/// nv filters over the L positions of every column: y[f] = sum_t w[f, t] x[t] + b[f] (Caser, eq.
/// 7). Operands: x [L, d], weight [nv, 1, L, 1], bias [nv].
class TimeMixOp final : public Op {
 public:
  /// @throws ModelError shapes that do not fit.
  TimeMixOp(const Shape& x, const Shape& weight);
  std::string_view name() const noexcept override { return "time_mix"; }
  Shape output_shape(std::span<const Shape>) const override {
    return {static_cast<int>(filters_), static_cast<int>(d_)};
  }
  double flops(std::span<const Shape>) const override {
    return 2.0 * static_cast<double>(filters_ * length_ * d_);
  }
  void forward(const OpForward& c) const override;
  void backward(const OpBackward& c) const override;
  std::size_t filters() const { return filters_; }

 private:
  std::size_t length_, d_, filters_;
};

}  // namespace recloom::nn
