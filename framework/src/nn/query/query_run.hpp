#pragma once
#include <cstddef>
#include <memory>
#include <vector>

#include "core/pool.hpp"
#include "nn/exec/item_ops.hpp"
#include "nn/exec/row_order.hpp"
#include "nn/exec/shard.hpp"
#include "nn/passes/recording.hpp"
#include "nn/passes/shorter_plans.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/core/types.hpp"

namespace recloom::nn {

/// A recorded forward pass for scoring, with memory for all who run it at the same time. Thread
/// safe.
class QueryRun {
 public:
  /// Records a model's forward(). @throws ModelError naming the op.
  QueryRun(const Catalogue& catalogue, const Recording::Forward& forward,
           Convolution convolution = Convolution::automatic);

  std::size_t query_size() const;
  bool uses_users() const { return static_cast<bool>(full_.graph.user_node); }

  /// Compute the queries of some rows on this thread. @param[out] queries [rows, query_size()].
  void run(const Batch& rows, Span2d<float> queries) const;
  /// Compute those of many rows on all threads of a run, sharing what their items have in common.
  void run(const Batch& rows, Span2d<float> queries, const RunContext& context) const;

 private:
  /// Memory for the rows that share their items' products: of many rows, but for these nodes only.
  struct Chunk {
    explicit Chunk(const Plan& shared) : items(shared) {}
    std::vector<std::unique_ptr<Shard>> shards;
    ItemOps items;
    LengthOrder order;
  };
  void run_chunk(Chunk& chunk, const Batch& given, Span2d<float> queries,
                 const RunContext& context) const;
  void run_block(const Chunk& chunk, std::size_t block, const Batch& rows, Span2d<float> queries,
                 std::size_t first, const RunContext& context) const;

  Recording full_;
  ItemOps items_;  ///< Which of its nodes can be computed for many rows at once.
  Plan shared_;    ///< Nothing but these nodes.
  ShorterPlans shorter_;
  mutable Pool<Shard> single_rows_, blocks_;  // one row, as servers ask; a block of rows
  mutable Pool<Chunk> chunks_;
};

}  // namespace recloom::nn
