#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/aligned.hpp"
#include "kernels/item_taps.hpp"
#include "nn/conv_max.hpp"
#include "nn/plan.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"

namespace recloom::nn {

/// conv_max_over_time for a whole batch, where the history's vectors come straight from a table:
/// the products of items and filter rows ("taps") are computed once per distinct item of the batch,
/// and a window is a sum of them. Exact: the same numbers as ConvMaxOverTime, added in another
/// order.
///
/// With U distinct items, B rows and heights 1..L the products cost U L(L+1)/2 against
/// B L(L+1)(L+2)/6 of the windows (times filters and vector size). The filter heights are dealt to
/// a fixed number of groups, one task each: a height's filter gradients belong to one task, the
/// gradients of the item vectors are one list entry per group and item, added in group order.
class RECLOOM_API ItemTaps {
 public:
  /// Return the nodes of a plan that can be computed so.
  static std::vector<std::unique_ptr<ItemTaps>> find(const Plan& plan);

  ItemTaps(const Plan& plan, std::int32_t node, std::int32_t lookup);

  /// If counts make it worth while, compute the node for all shards and supply() it to them.
  void forward(std::span<const std::unique_ptr<Shard>> shards, const RunContext& context);
  /// After the shards' backward: gradients of the filters go to the first shard's, those of the
  /// item vectors to row_diffs().
  void backward(std::span<const std::unique_ptr<Shard>> shards, const RunContext& context);

  bool ran() const { return ran_; }  ///< Whether the last forward() computed anything.
  std::int32_t node() const { return node_; }
  std::int32_t lookup() const { return lookup_; }
  /// Distinct items of the batch, ascending.
  std::span<const std::int32_t> items() const { return items_; }
  std::size_t n_groups() const { return groups_.size(); }
  /// [items, columns] of one group: gradients of the item vectors, to be added in group order.
  const float* row_diffs(std::size_t group) const { return groups_[group].diff_vectors.data(); }

 private:
  /// Heights that one task computes, and its memory.
  struct Group {
    std::vector<std::size_t> heights;
    std::size_t work = 0;
    AlignedFloats filters;       // one height's, [height, lanes, columns], lanes padded with zeros
    AlignedFloats diff_filters;  // the same shape
    AlignedFloats taps;          // [items, height, lanes]; backward: their gradients
    AlignedFloats windows;       // of some runs, [windows, lanes]; backward: their gradients
    AlignedFloats best, where;   // of a row, [lanes]
    AlignedFloats diff_vectors;  // [items, columns]
    std::vector<std::int32_t> at;     // windows that win somewhere: where they begin in slots_
    AlignedFloats diff_windows;       // [at.size(), lanes]
    std::vector<std::int32_t> entry;  // of the windows of a run: place in `at`, or -1
  };
  /// Rows of a shard whose histories overlap: each one's is that of the row before, moved on by one
  /// item. They share their windows. A row that follows no other is a run of its own.
  struct Run {
    std::size_t row, rows;  ///< Of the batch.
    std::size_t slot;       ///< Where the rows' items begin in slots_.
  };

  void collect_items(std::span<const std::unique_ptr<Shard>> shards);
  void find_runs(std::span<const std::unique_ptr<Shard>> shards);
  bool worth_while() const;
  void forward_height(Group& group, std::size_t h);
  void sum_windows(Group& group, std::size_t h, std::span<const Run> runs) const;
  void take_largest(const Group& group, std::size_t h, std::span<const Run> runs);
  void finish_forward(Shard& shard, std::size_t first_row) const;
  void begin_backward(Shard& shard, std::size_t first_row);
  void backward_height(Group& group, std::size_t h, bool first,
                       std::span<const std::unique_ptr<Shard>> shards);
  void load_filters(Group& group, std::size_t h) const;
  void list_winners(Group& group, std::size_t h) const;
  void add_bias_diffs(std::span<const std::unique_ptr<Shard>> shards) const;
  kernels::TapsShape shape(std::size_t h) const;
  std::size_t n_windows(const Run& run, std::size_t h) const;
  /// Where the numbers of height h begin in best_, where_ and diff_.
  std::size_t place(std::size_t h) const { return first_lane_[h] * n_rows_; }
  Parameter weight(std::size_t h) const;
  Parameter bias(std::size_t h) const;

  const Plan& plan_;
  std::int32_t node_, lookup_, ids_;
  const ConvMaxOverTime& op_;
  std::vector<Group> groups_;
  std::vector<std::int32_t> slot_of_item_;  // [rows of the table], -1: not in the batch
  std::vector<std::int32_t> items_;
  std::size_t n_rows_ = 0;
  std::vector<Run> runs_;
  std::vector<std::int32_t> slots_;  // places in items_ of all that the runs look at
  bool ran_ = false;
  AlignedFloats vectors_;  // [items, columns]
  // One height's numbers of all rows lie together, so that its task reads and writes in order.
  std::vector<std::size_t> first_lane_;  // [heights + 1]
  AlignedFloats best_, where_, diff_;    // [heights][rows, lanes]
};

}  // namespace recloom::nn
