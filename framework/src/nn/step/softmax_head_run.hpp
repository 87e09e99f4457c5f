#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/aligned.hpp"
#include "kernels/vector.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/nn/item_head.hpp"

namespace recloom::nn {

/// Softmax cross-entropy over all items, forward and backward together, for a whole batch. Logits
/// exist one block at a time only. The work is cut by the numbers of rows and items alone, so the
/// bits do not depend on threads.
///
/// Up to kSmallCatalogue items, each group of rows goes over the whole catalogue and adds to its
/// own copy of the table gradients; the copies are summed as a fixed tree by the caller. Above,
/// each range of items owns its rows of the table gradients, computes its logits twice (once for
/// the normaliser, once for the gradient), and the query gradients are added in range order.
class RECLOOM_API SoftmaxHeadRun {
 public:
  static constexpr int kSmallCatalogue = 16384;

  /// @param n_targets T of a row, whose cross-entropies' mean is the row's loss.
  /// @param diff_tables where the table gradients may be written if one copy suffices: one pointer
  /// per table, then one for the bias if there is one.
  SoftmaxHeadRun(const ItemHead& head, int n_items, std::size_t n_targets,
                 std::vector<float*> diff_tables);

  /// Make room for a batch.
  void begin(std::size_t rows);
  std::span<float> queries() { return queries_; }         ///< [rows, q], to be filled.
  std::span<std::int32_t> targets() { return targets_; }  ///< [rows, T], to be filled.
  /// @param weight what each row's loss is multiplied with in the gradients.
  /// @throws Interrupted.
  void run(float weight, RunContext& context);
  std::span<const float> losses() const { return losses_; }              ///< [rows], in nats.
  std::span<const float> diff_queries() const { return diff_queries_; }  ///< [rows, q]
  /// Copies of the gradient of table `index` (or of the bias, after the tables), to be summed.
  std::span<const float* const> diff_copies(std::size_t index) const { return copies_[index]; }

 private:
  struct Tile {
    std::size_t row, rows, item, items;
  };
  void run_small(float weight, RunContext& context);
  void run_group(std::size_t group, float weight, const RunContext& context);
  void run_block(std::size_t row, std::size_t rows, float weight, const std::vector<float*>& tables,
                 bool accumulate);
  void run_large(float weight, RunContext& context);
  /// Call body(tile, logits) for every tile of a range: items outermost, so that their vectors
  /// and gradients stay in cache while the rows go by.
  template <class Body>
  void for_each_tile(std::size_t range, const RunContext& context, Body body) const;
  void normalisers_of_range(std::size_t range, const RunContext& context);
  void combine_normalisers(std::size_t ranges);
  void gradients_of_range(std::size_t range, float weight, const RunContext& context);
  void logits(const Tile& tile, float* dst) const;
  /// Call body(row of the tile, row's target, place in the tile) for the targets that are in it.
  template <class Body>
  void for_each_target(const Tile& tile, Body body) const;
  float mean_target_logit(std::size_t row) const;
  void note_target_logits(const Tile& tile, const float* logits);
  void add_gradients(const Tile& tile, float weight, float* softmax, float* diff_queries,
                     bool accumulate_queries, const std::vector<float*>& diff_tables,
                     bool accumulate_tables) const;
  void add_diff_queries(const Tile& tile, const float* diff_logits, float* dst,
                        bool accumulate) const;
  void add_diff_tables(const Tile& tile, const float* diff_logits, const std::vector<float*>& dst,
                       bool accumulate) const;

  ItemHead head_;
  std::size_t n_items_, n_targets_, q_ = 0, rows_ = 0, group_rows_ = 0, range_items_ = 0;
  std::vector<float*> diff_tables_;
  std::vector<std::size_t> sizes_;  // floats of each table, then of the bias
  AlignedFloats queries_, diff_queries_, losses_;
  std::vector<std::int32_t> targets_;
  std::vector<std::vector<AlignedFloats>> own_copies_;  // [group][table]
  std::vector<std::vector<const float*>> copies_;       // [table][group]
  AlignedFloats target_logits_, range_diff_queries_;
  std::vector<kernels::SoftmaxState> range_states_;  // [range, row]
  std::vector<double> log_normaliser_;
};

}  // namespace recloom::nn
