#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/aligned.hpp"
#include "nn/exec/shard.hpp"

namespace recloom::nn {

/// The shards of a batch: all but the last have the same number of rows.
using Shards = std::span<const std::unique_ptr<Shard>>;

/// The distinct items that one lookup of histories brings to a batch, and where the items of each
/// row stand among them.
class BatchItems {
 public:
  /// Rows of a shard whose histories overlap: each one's is that of the row before, moved on by one
  /// item. A row that follows no other is a run of its own.
  struct Run {
    std::size_t row, rows;  ///< Of the batch.
    std::size_t slot;  ///< Where the first row's items begin in slots(); the next one's one on.
  };

  BatchItems(const Plan& plan, NodeId lookup);
  void collect(Shards shards);

  std::size_t n_rows() const { return row_slots_.size(); }
  std::size_t length() const { return length_; }
  std::size_t columns() const { return columns_; }
  std::span<const std::int32_t> items() const { return items_; }  ///< Ascending.
  const float* vectors() const { return vectors_.data(); }        ///< [items, columns]
  std::span<const Run> runs() const { return runs_; }
  /// Places in items(), run after run.
  const std::int32_t* slots() const { return slots_.data(); }
  /// [rows] where each row's `length` places begin in slots().
  const std::size_t* row_slots() const { return row_slots_.data(); }

 private:
  void collect_items(Shards shards);
  void find_runs(Shards shards);

  const ParameterData& table_;
  NodeId ids_;
  std::size_t length_, columns_;
  std::vector<std::int32_t> slot_of_item_;  // [rows of the table], -1: not in the batch
  std::vector<std::int32_t> items_, slots_;
  std::vector<std::size_t> row_slots_;
  std::vector<Run> runs_;
  AlignedFloats vectors_;
};

/// Call body(shard, number of its first row in the batch) for all shards, side by side.
template <class Body>
void for_each_shard(Shards shards, const RunContext& context, const Body& body) {
  const std::size_t shard_rows = shards.front()->rows();
  context.parallel_for(shards.size(), [&](std::size_t s) { body(*shards[s], s * shard_rows); });
}

}  // namespace recloom::nn
