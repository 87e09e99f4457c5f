#pragma once
#include <cstddef>
#include <string_view>

#include "core/aligned.hpp"
#include "nn/ops_internal.hpp"
#include "recloom/core/export.hpp"

namespace recloom::nn {

/// Multi-head scaled dot-product attention. Operands: query [L, d], or [d] for the one position
/// that an id names; key and value [L, d]; ids [L] where Mask::keys are given; the position.
/// Saved: the weights before dropout, for each head and query those of the keys it may look at.
class RECLOOM_API AttentionOp final : public ShapedOp {
 public:
  struct Options {
    int heads = 1;
    bool causal = false, masks_keys = false;
    double dropout_prob = 0;
  };
  /// @throws ModelError shapes that do not fit, heads that do not divide d, a dropout outside of
  /// [0, 1).
  AttentionOp(const Shape& query, const Shape& key, const Shape& value, const Options& options);
  std::string_view name() const noexcept override { return "attention"; }
  Shape output_shape(std::span<const Shape>) const override { return shape_; }
  std::size_t saved_size(std::span<const Shape>) const override { return heads_ * weights_; }
  Reach reach(std::size_t operand, std::span<const Shape> inputs) const override;
  double flops(std::span<const Shape>) const override;
  void forward(const OpForward& c) const override;
  void backward(const OpBackward& c) const override;

 private:
  struct Workspace {
    AlignedFloats mask, scores, packed, zeros, dropped, diff_weights, diff_scores;
  };
  /// One row of the shard.
  struct RowView {
    std::size_t row, position;  ///< position: of the one query.
    const float *query, *key, *value;
  };
  static Workspace& workspace();
  void grow(Workspace& work) const;
  RowView row_of(const OpContext& c, std::size_t row) const;
  const float* mask_of(Workspace& work, const OpContext& c, std::size_t row) const;
  /// How many keys, from the first, a query may look at, and where their weights begin.
  std::size_t visible(const RowView& r, std::size_t query) const;
  std::size_t begin(std::size_t query) const;
  const float* drop(Workspace& work, const OpContext& c, std::size_t row,
                    const float* weights) const;

  std::size_t stride() const;
  void score(Workspace& work, const RowView& r, std::size_t head) const;
  void score_one(Workspace& work, const RowView& r, std::size_t head) const;
  void spread(Workspace& work, const RowView& r, const float* weights) const;
  void load(Workspace& work, const float* operand, std::size_t head) const;
  void multiply_by_keys(Workspace& work, const float* bias, float* output) const;
  void multiply_by_queries(Workspace& work, float* output) const;
  void mix(Workspace& work, const RowView& r, const float* weights, std::size_t head,
           float* output) const;
  void backward_row(Workspace& work, const OpBackward& c, std::size_t row) const;
  void diff_weights_of(Workspace& work, const RowView& r, std::size_t head,
                       const float* diff_output) const;
  void add_value_diffs(Workspace& work, const RowView& r, std::size_t head, const float* weights,
                       const float* diff_output, float* diff_value) const;
  void add_score_diffs(Workspace& work, const RowView& r, std::size_t head, float* diff_query,
                       float* diff_key) const;

  Shape shape_;
  bool single_, causal_, masks_keys_;
  std::size_t heads_, length_, d_, size_;  ///< size_: of a head.
  std::size_t queries_, weights_;          ///< weights_: of a head.
  double dropout_prob_;
};

}  // namespace recloom::nn
