#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/untouched.hpp"
#include "nn/exec/item_ops.hpp"
#include "nn/graph/parameter_data.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/nn/losses.hpp"

namespace recloom::nn {

/// Puts a parameter's gradient together from all that adds to it, always in this order: item head,
/// shards of ops (a fixed binary tree over the shard index), lookups in row order, ops over
/// distinct items in group order, penalties.
class Gradients {
 public:
  /// factor * vector is added to a row of a table.
  struct Entry {
    const float* vector;
    float factor;
  };
  /// A trained parameter and where its gradient comes from.
  struct Target {
    ParameterData* parameter = nullptr;
    UntouchedFloats diff;  ///< Rows that are never looked up need no memory.
    const Plan::Dense* dense = nullptr;
    std::vector<NodeId> lookups;  ///< Nodes of lookups and row scores, in graph order.
    double norm_factor = 0, abs_factor = 0, squares_factor = 0;  ///< Of the penalties.
    double norm = 0;                 ///< Frobenius norm of the values, if it is penalised.
    bool touched_rows_only = false;  ///< Lookups, and nothing else but penalties, add to it.
    /// Work on the rows that lookups touch alone: the gradients of the others stay 0.
    bool rows_apart = false;
    std::vector<std::span<const float* const>> head_copies;  ///< Of this step.
    std::vector<const ItemOps::Source*> sources;             ///< Of this step.
    std::vector<std::int64_t> row_begin;  ///< [rows + 1] into `entries`, of this step.
    std::vector<Entry> entries;           ///< What lookups and row scores add, by table row.
  };

  /// @param sparse_updates rows that nothing looks up are not updated: they need no penalty.
  Gradients(const Plan& plan, std::span<const LossTerm> terms, bool sparse_updates);

  std::vector<Target>& targets() { return targets_; }
  const std::vector<Target>& targets() const { return targets_; }
  /// Where a head may write the gradient of a table, or null if the table is not trained.
  float* head_destination(Parameter table);
  /// Sum of all penalties; also the norms that their gradients need.
  double penalties(RunContext& context);
  /// Forget what the last step brought.
  void begin_step();
  void add_head_copies(Parameter table, std::span<const float* const> copies);
  /// Take the gradients of item vectors from ops that were computed for the whole batch.
  void add_items(const ItemOps::Source& source);
  /// Assemble every gradient. @return the global norm.
  double assemble(std::span<const std::unique_ptr<Shard>> shards, RunContext& context);

  /// A piece of a target that one thread works on.
  struct Unit {
    std::size_t target, first_row, rows;
    std::vector<std::size_t> touched;  ///< Rows with a gradient, of a target whose rows are apart.
  };
  std::span<const Unit> units() const { return units_; }

 private:
  template <class Body>
  void for_each_entry(const Target& target, std::span<const std::unique_ptr<Shard>> shards,
                      Body&& body) const;
  void index_lookups(Target& target, std::span<const std::unique_ptr<Shard>> shards) const;
  void assemble(const Unit& unit, std::span<const std::unique_ptr<Shard>> shards);
  /// @return the square of the unit's gradient.
  double assemble_rows(Unit& unit);
  static void add_entries(const Target& target, std::size_t row, float* diff);
  void add_penalties(const Target& target, std::size_t first, std::size_t n, float* diff) const;
  Target* find(const ParameterData* parameter);

  const Plan& plan_;
  std::vector<Target> targets_;
  std::vector<Unit> units_;
  std::vector<double> unit_squares_;
};

}  // namespace recloom::nn
