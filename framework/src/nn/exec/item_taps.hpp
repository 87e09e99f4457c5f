#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/aligned.hpp"
#include "core/scratch.hpp"
#include "kernels/item_taps.hpp"
#include "nn/exec/item_op.hpp"
#include "nn/ops/conv_max.hpp"

namespace recloom::nn {

/// conv_max_over_time from the batch's distinct items: the products of items and filter rows
/// ("taps") are computed once per item, and a window is a sum of them. Rows whose histories overlap
/// share their windows.
///
/// With U distinct items, B rows that share nothing and heights 1..L the products cost U L(L+1)/2
/// against B L(L+1)(L+2)/6 of the windows (times filters and vector size). The filter heights are
/// dealt to the groups: a height's filter gradients belong to one task.
class ItemTaps final : public ItemOp {
 public:
  ItemTaps(const Plan& plan, NodeId node);
  bool worth_while(const BatchItems& items) const override;
  void forward(const BatchItems& items, Shards shards, const RunContext& context) override;
  void backward(const BatchItems& items, Shards shards, const RunContext& context) override;
  std::size_t n_groups() const override { return groups_.size(); }
  const float* vector_diffs(std::size_t group) const override {
    return groups_[group].diff_vectors.data();
  }

 private:
  using Run = BatchItems::Run;
  /// Heights that one task computes.
  struct Group {
    std::vector<std::size_t> heights;
    std::size_t work = 0;
    AlignedFloats diff_vectors;  // [items, columns]
  };
  /// Some of a height's taps: one table's.
  struct Piece {
    std::size_t first;
    kernels::TapsShape shape;
    int columns() const { return static_cast<int>(shape.taps * shape.lanes); }  ///< Of the table.
  };
  template <class Body>
  void for_each_piece(std::size_t h, const Body& body) const;

  void forward_height(std::size_t h, const BatchItems& items);
  void add_piece(std::size_t h, const Piece& piece, const BatchItems& items, const float* filters,
                 float* windows) const;
  void take_largest(const float* windows, std::size_t h, std::span<const Run> runs);
  void finish_forward(Shard& shard, std::size_t first_row) const;
  void begin_backward(Shard& shard, std::size_t first_row);
  void add_bias_diffs(Shards shards) const;
  /// Windows that win in some row.
  struct Winners {
    std::span<std::size_t> at;  ///< Where they begin in slots.
    float* diff;                ///< [at.size(), lanes] the sum of those rows' gradients.
  };
  Winners list_winners(Scratch& scratch, std::size_t h, const BatchItems& items) const;
  void backward_height(Group& group, std::size_t h, const BatchItems& items, Shards shards) const;
  void add_filter_diffs(std::size_t h, const Piece& piece, const BatchItems& items,
                        const float* taps, float* diff_weight) const;
  const float* load_filters(Scratch& scratch, std::size_t h) const;
  std::size_t all_windows(std::span<const Run> runs, std::size_t h) const;
  std::size_t height(std::size_t h) const { return static_cast<std::size_t>(heights_[h].height); }
  std::size_t lanes(std::size_t h) const;
  std::size_t n_windows(const Run& run, std::size_t h) const;
  Parameter weight(std::size_t h) const { return parameter(1 + 2 * h); }
  Parameter bias(std::size_t h) const { return parameter(2 + 2 * h); }
  /// Where the numbers of height h begin in best_, where_ and diff_.
  std::size_t place(std::size_t h) const { return first_lane_[h] * n_rows_; }

  const ConvMaxOverTime& op_;
  const int length_, columns_;
  const std::vector<ConvMaxOverTime::Height> heights_;
  std::vector<Group> groups_;
  std::size_t n_rows_ = 0;
  // One height's numbers of all rows lie together, so that its task reads and writes in order.
  std::vector<std::size_t> first_lane_;  // [heights + 1]
  AlignedFloats best_, where_, diff_;    // [heights][rows, lanes]
};

}  // namespace recloom::nn
