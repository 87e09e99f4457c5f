#pragma once
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "nn/graph_impl.hpp"
#include "nn/item_ops.hpp"
#include "nn/plan.hpp"
#include "nn/recording.hpp"
#include "nn/shorter_plans.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/nn/network_recommender.hpp"

namespace recloom::nn {

/// A recorded forward pass for scoring, with memory for all who run it at the same time. Thread
/// safe.
class QueryRun {
 public:
  /// Records the model's forward(). @throws ModelError naming the op.
  explicit QueryRun(const NetworkRecommender& model);

  std::size_t query_size() const;
  bool uses_users() const { return full_.graph.user_node >= 0; }

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
  template <class T>
  struct Pool {
    std::vector<std::unique_ptr<T>> free;
  };
  template <class T, class Make>
  std::unique_ptr<T> take(Pool<T>& pool, Make make) const;
  template <class T>
  void give_back(Pool<T>& pool, std::unique_ptr<T> item) const;
  void run_chunk(Chunk& chunk, const Batch& given, Span2d<float> queries,
                 const RunContext& context) const;
  void run_block(const Chunk& chunk, std::size_t block, const Batch& rows, Span2d<float> queries,
                 std::size_t first, const RunContext& context) const;
  std::unique_ptr<Recording> record(const NetworkRecommender& model, int length) const;

  Recording full_;  ///< For histories of any length.
  ItemOps items_;   ///< Which of its nodes can be computed for many rows at once.
  Plan shared_;     ///< Nothing but these nodes.
  ShorterPlans shorter_;
  mutable std::mutex mutex_;
  mutable Pool<Shard> single_rows_, blocks_;  // one row, as servers ask; a block of rows
  mutable Pool<Chunk> chunks_;
};

}  // namespace recloom::nn
