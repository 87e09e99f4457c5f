#pragma once
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "nn/ops/over_items.hpp"
#include "recloom/nn/ops.hpp"

namespace recloom::nn {

/// Max over time of f(conv(x)) for filters of several heights, fused: the [L-h+1, filters] maps are
/// never stored, and backward touches the winning window only. Operands: x [L, d], then weight
/// [filters, 1, h, d] and bias [filters] of every height. f must not decrease, so that f(max) =
/// max(f). Saved: the winning window starts.
///
/// This is the way of one shard: a matmul per window start, since windows overlap and their matrix
/// has no copy-free form. ItemTaps has the way of a whole batch.
class ConvMaxOverTime final : public OverItemsOp {
 public:
  struct Height {
    int filters, height;
    std::size_t first;  ///< Column of its first filter in the output.
  };

  /// @throws ModelError an activation that decreases somewhere.
  explicit ConvMaxOverTime(Activation f);
  std::string_view name() const noexcept override { return "conv_max_over_time"; }
  Shape output_shape(const OpShapes& shapes) const override;
  std::size_t saved_size(const OpShapes& shapes) const override;
  double flops(const OpShapes& shapes) const override;
  void forward(const OpForward& c) const override;
  void backward(const OpBackward& c) const override;

  static std::vector<Height> heights(const OpShapes& shapes);
  void activate(std::span<float> x) const;  ///< x = f(x).
  /// dx = dy f'(x), from y = f(x). dx may be dy.
  void times_slope(std::span<const float> y, std::span<const float> dy, std::span<float> dx) const;

 private:
  Activation f_;
};

}  // namespace recloom::nn
