#pragma once
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/conv.hpp"
#include "nn/ops/over_items.hpp"
#include "recloom/nn/convolution.hpp"
#include "recloom/nn/ops.hpp"

namespace recloom::nn {

/// An op's filters as the convolution primitives want them, laid out anew once they have changed:
/// once a step. Thread safe.
class LaidOutFilters {
 public:
  explicit LaidOutFilters(std::vector<Parameter> weights) : weights_(std::move(weights)) {}
  /// Return those of all heights; good until a parameter changes.
  /// @param length of histories, the same in every call: windows look anywhere, so that no shorter
  /// plan has them.
  std::span<const kernels::ConvFilters> get(int length, bool training) const;

 private:
  std::vector<Parameter> weights_;
  mutable std::mutex mutex_;
  mutable int length_ = 0;
  mutable std::vector<kernels::ConvFilters> filters_;
  mutable std::vector<std::uint64_t> versions_;
};

/// Max over time of f(conv(x)) for filters of several heights, fused: the [L-h+1, filters] maps are
/// never stored, and backward touches the winning window only. Operands: x [L, d], then weight
/// [filters, 1, h, d] and bias [filters] of every height. f must not decrease, so that f(max) =
/// max(f). Saved: the winning window starts.
///
/// These are the ways of one shard: a matmul per window start, since windows overlap and their
/// matrix has no copy-free form, or convolution primitives. ItemTaps has the way of a whole batch.
class ConvMaxOverTime final : public OverItemsOp {
 public:
  struct Height {
    int filters, height;
    std::size_t first;  ///< Column of its first filter in the output.
  };

  /// @param weights of every height, as in the operands. @throws ModelError an activation that
  /// decreases somewhere.
  ConvMaxOverTime(Activation f, Convolution way, std::vector<Parameter> weights);
  Convolution way() const noexcept { return way_; }
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
  std::span<const kernels::ConvFilters> laid_out(const OpContext& c) const;

  Activation f_;
  Convolution way_;
  LaidOutFilters filters_;
};

}  // namespace recloom::nn
