#pragma once
#include <cstddef>
#include <string_view>

#include "recloom/core/export.hpp"
#include "recloom/nn/op.hpp"

namespace recloom::nn {

struct AttentionOptions {
  int heads = 1;
  bool causal = false;
  double dropout_prob = 0;
};

/// Multi-head scaled dot-product attention. Operands: query [L, d], or [1, d] at one position; key
/// and value [L, d]; ids [L] where Mask::keys are given.
/// Saved: the weights before dropout, for each head and query those of the keys it may look at.
class RECLOOM_API AttentionOp final : public Op {
 public:
  explicit AttentionOp(const AttentionOptions& options) : options_(options) {}
  std::string_view name() const noexcept override { return "attention"; }
  Shape output_shape(const OpShapes& shapes) const override;
  std::size_t saved_size(const OpShapes& shapes) const override;
  Reach reach(std::size_t operand, const OpShapes& shapes) const override;
  bool takes_one_of_positions() const noexcept override { return true; }
  double flops(const OpShapes& shapes) const override;
  void forward(const OpForward& c) const override;
  void backward(const OpBackward& c) const override;

 private:
  AttentionOptions options_;
};

}  // namespace recloom::nn
