#pragma once
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "nn/parameter_data.hpp"
#include "recloom/nn/modules.hpp"
#include "recloom/nn/op.hpp"

namespace recloom::nn {

/// Max over time of f(conv(x)) for filters of several heights, fused: the [L-h+1, filters] maps are
/// never stored, and backward touches the winning window only. Operands: x [L, d], then weight and
/// bias of every height. f must not decrease, so that f(max) = max(f). Saved: the winning window
/// starts.
///
/// This is the way of one shard: a matmul per window start, since windows overlap and their matrix
/// has no copy-free form. ItemTaps has the way of a whole batch.
class ConvMaxOverTime final : public Op {
 public:
  struct Height {
    int filters, height;
    std::size_t first;  ///< Column of its first filter in the output.
  };

  /// @throws ModelError shapes that do not fit, an activation that decreases somewhere.
  ConvMaxOverTime(const Shape& x, std::span<const TimeConv> convs, Activation f);
  std::string_view name() const noexcept override { return "conv_max_over_time"; }
  Shape output_shape(std::span<const Shape>) const override { return {to_extent(width_)}; }
  std::size_t saved_size(std::span<const Shape>) const override { return width_; }
  double flops(std::span<const Shape> inputs) const override;
  void forward(const OpForward& c) const override;
  void backward(const OpBackward& c) const override;

  int length() const { return length_; }
  int columns() const { return d_; }
  std::size_t width() const { return width_; }
  const std::vector<Height>& heights() const { return heights_; }
  void activate(std::span<float> x) const;  ///< x = f(x).
  /// dx = dy f'(x), from y = f(x). dx may be dy.
  void times_slope(std::span<const float> y, std::span<const float> dy, std::span<float> dx) const;

 private:
  void forward_height(const OpForward& c, std::size_t h) const;
  void backward_row(const OpBackward& c, const float* diff, std::size_t row, std::size_t h) const;

  int length_ = 0, d_ = 0;
  Activation f_;
  std::vector<Height> heights_;
  std::size_t width_ = 0;
};

}  // namespace recloom::nn
