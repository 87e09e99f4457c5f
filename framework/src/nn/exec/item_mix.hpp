#pragma once
#include <cstddef>
#include <vector>

#include "core/aligned.hpp"
#include "kernels/item_mix.hpp"
#include "nn/exec/item_op.hpp"

namespace recloom::nn {

/// TimeMixOp from the batch's distinct items. A group works on a range of shards.
class ItemMix final : public ItemOp {
 public:
  ItemMix(const Plan& plan, NodeId node);
  bool worth_while(const BatchItems& items) const override;
  void forward(const BatchItems& items, Shards shards, const RunContext& context) override;
  void backward(const BatchItems& items, Shards shards, const RunContext& context) override;
  std::size_t n_groups() const override { return n_groups_; }
  const float* vector_diffs(std::size_t group) const override {
    return groups_[group].diff_vectors.data();
  }

 private:
  static constexpr std::size_t kMostGroups = 8;
  struct Group {
    AlignedFloats diff_vectors;  // [items, columns]
    std::vector<float> diff_weight, diff_bias;
  };

  kernels::MixRows rows_of(const BatchItems& items, const Shard& shard, std::size_t first) const;
  void backward_group(const BatchItems& items, Shards shards, std::size_t group);

  const std::size_t filters_;
  std::vector<Group> groups_;
  std::size_t n_groups_ = 0;  // of this step
};

}  // namespace recloom::nn
