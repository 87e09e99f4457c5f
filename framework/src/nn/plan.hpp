#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/untouched.hpp"
#include "nn/causality.hpp"
#include "nn/graph_impl.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"

namespace recloom::nn {

/// Where the numbers of each node lie in a shard's memory. Made once for a graph.
class RECLOOM_API Plan {
 public:
  struct Slot {
    bool used = false;      ///< An output depends on it.
    bool output = false;    ///< The host reads it.
    bool gradient = false;  ///< Something trained lies behind it.
    bool shared = false;    ///< Computed once for rows that share a past.
    bool passing = false;   ///< Its gradient is needed while a shard's backward runs, not later.
    std::size_t size = 0, saved_size = 0;        ///< Numbers per row.
    std::size_t value = 0, diff = 0, saved = 0;  ///< Offsets, per row of capacity.
    std::size_t shared_value = 0;                ///< Of shared ids: those of the shared nodes.
  };
  /// A parameter that ops use whole: every shard has its own gradient of it.
  struct Dense {
    Parameter parameter;
    std::size_t offset = 0;
    std::int32_t only_user = -1;  ///< The one node that uses it; -1: several do.
  };

  /// @param outputs nodes that are wanted. @param backward plan gradients too.
  /// @param share_past let rows share what causality.hpp describes.
  /// @throws ModelError with the obstacle if they cannot.
  Plan(const Graph& graph, std::span<const std::int32_t> outputs, bool backward,
       bool share_past = false);

  /// Return what rows could share, and what is in the way of it.
  Causality causality(std::span<const std::int32_t> outputs) const;

  bool shares_past() const { return shares_past_; }

  const Graph& graph() const { return graph_; }
  const Slot& slot(std::int32_t node) const { return slots_[static_cast<std::size_t>(node)]; }
  std::int32_t n_nodes() const { return static_cast<std::int32_t>(slots_.size()); }
  std::size_t values_per_row() const { return values_per_row_; }
  std::size_t diffs_per_row() const { return diffs_per_row_; }
  /// Floats for passing gradients, which take each other's place: per row of one shard at work.
  std::size_t passing_per_row() const { return passing_per_row_; }
  /// Nodes with a passing gradient that this node's backward is the first to add to.
  std::span<const std::int32_t> first_adds(std::int32_t node) const {
    return first_adds_[static_cast<std::size_t>(node)];
  }
  /// The node whose floats a node shows in another shape: itself if it is no View.
  std::int32_t viewed(std::int32_t node) const;
  std::size_t saved_per_row() const { return saved_per_row_; }
  std::size_t ids_per_row() const { return ids_per_row_; }
  std::size_t dense_size() const { return dense_size_; }
  const std::vector<Dense>& dense() const { return dense_; }
  /// @return null if no op uses the parameter whole, or it is not trained.
  const Dense* find_dense(const ParameterData* parameter) const;

 private:
  void mark_used(std::span<const std::int32_t> outputs);
  void mark_shared(std::span<const std::int32_t> outputs);
  void mark_gradients();
  void add_dense(Parameter parameter, std::int32_t user);
  void place(std::int32_t node);
  std::vector<char> lasting_diffs() const;
  void place_diffs();
  void place_passing();

  const Graph& graph_;
  bool shares_past_;
  std::vector<Slot> slots_;
  std::vector<Dense> dense_;
  std::vector<std::vector<std::int32_t>> first_adds_;
  std::size_t values_per_row_ = 0, diffs_per_row_ = 0, passing_per_row_ = 0, saved_per_row_ = 0,
              ids_per_row_ = 0, dense_size_ = 0;
};

/// Keys of a pass's random draws.
struct DrawKeys {
  std::uint64_t seed = 0, epoch = 0;
};

/// Whether a row's history is that of the row before it and one item more, both to be seen whole:
/// then the row before can share its past.
RECLOOM_API bool extends_row_before(const Batch& rows, std::size_t row);

/// The memory of one shard and the two passes over it. Used by one thread at a time; nothing is
/// allocated once the buffers have grown.
class RECLOOM_API Shard {
 public:
  Shard(const Plan& plan, std::size_t capacity);

  /// Compute with another plan from now on, one of shorter_plans.hpp: it takes no more memory.
  void use(const Plan& plan) { plan_ = &plan; }
  const Plan& plan() const { return *plan_; }
  /// Fill the integer inputs from rows. @param rows at most `capacity`.
  void load(const Batch& rows, const DrawKeys& keys);
  /// Say that a node's value() and saved() are computed elsewhere in this pass: both passes over
  /// the shard leave it out.
  void supply(std::int32_t node) { roles_[static_cast<std::size_t>(node)] = Role::supplied; }
  bool supplied(std::int32_t node) const { return has_role(node, Role::supplied); }
  /// Say that nobody looks at a node in this pass: it has neither value() nor diff().
  void leave_out(std::int32_t node) { roles_[static_cast<std::size_t>(node)] = Role::left_out; }
  bool left_out(std::int32_t node) const { return has_role(node, Role::left_out); }
  /// Compute every used node but the softmax heads and the supplied ones.
  /// @param run asked before every node whether to stop. @throws Interrupted.
  void forward(const RunContext* run = nullptr);
  /// Forget all gradients. Those of outputs are zeros then, to be added to.
  /// @param seeded other nodes whose gradients the host adds to. @param all_dense false: those of
  /// parameters that only a supplied node uses are left as they are.
  void clear_diffs(std::span<const std::int32_t> seeded, bool all_dense);
  /// From the gradients seeded in diff() to those of parameters and lookups.
  /// @param passing at least plan().passing_per_row() * rows() floats, of any content.
  /// @param run as in forward(). @param look called for each node with a gradient once that is
  /// complete, if given.
  void backward(std::span<float> passing, const RunContext* run = nullptr,
                const std::function<void(std::int32_t)>& look = {});

  std::size_t rows() const { return rows_; }
  std::size_t capacity() const { return capacity_; }
  std::span<float> value(std::int32_t node);
  /// Of a passing gradient only while backward() runs; then, or if there is none: empty.
  std::span<float> diff(std::int32_t node);
  std::span<float> saved(std::int32_t node);
  /// Integers of every row.
  std::span<const std::int32_t> ids(std::int32_t node) const;
  /// The ids operand of a lookup or of row scores, as they get it.
  std::span<const std::int32_t> lookup_ids(std::int32_t node) const;
  float* dense_diff(std::size_t offset) { return dense_diff_.data() + offset; }

  void forward(std::int32_t node);
  void backward(std::int32_t node);

 private:
  enum class Role : char { computed, supplied, left_out };
  bool has_role(std::int32_t node, Role role) const {
    return node >= 0 && roles_[static_cast<std::size_t>(node)] == role;
  }
  bool computed(std::int32_t node) const {
    return plan_->slot(node).used && has_role(node, Role::computed);
  }
  void find_leaders(const Batch& rows);
  std::size_t rows_of(std::int32_t node) const {
    return plan_->slot(node).shared ? leaders_.size() : rows_;
  }
  std::span<const std::int32_t> ids(std::int32_t node, std::int32_t user) const;
  void lookup(std::int32_t node, const Lookup& work);
  void row_scores(std::int32_t node, const RowScores& work);
  void row_scores_backward(std::int32_t node, const RowScores& work);
  bool takes_shared(const Node& node) const;
  void take_last(std::int32_t node);
  void give_last(std::int32_t node);
  std::size_t last_place(const Node& node, std::size_t row) const;
  void gather_operands(std::int32_t node);
  void gather_diffs(const Node& node);
  bool take_fresh(std::int32_t node);
  void clear_if_fresh(std::int32_t node);
  void clear_inputs(const Node& node);
  OpContext context(std::int32_t node) const;

  const Plan* plan_;
  std::size_t capacity_, rows_ = 0;
  DrawKeys keys_;
  // What a supplied node makes needless (dense gradients, vectors) is never touched.
  UntouchedFloats values_, diffs_, saved_, dense_diff_;
  std::span<float> passing_;  // While backward() runs.
  std::vector<std::int32_t> ids_;
  std::vector<std::int64_t> row_ids_;
  std::vector<Role> roles_;
  std::vector<char> fresh_;  // By node: nothing was written to its gradient yet.
  // Of rows that share a past, the last is the leader: shared nodes are computed for it.
  std::vector<std::size_t> leaders_;          // Rows, ascending.
  std::vector<std::int64_t> leader_ids_;      // Their row ids.
  std::vector<std::uint32_t> leader_of_row_;  // Index into leaders_.
  // Operand lists of the op that runs now; kept for their capacity.
  std::vector<std::span<const float>> inputs_;
  std::vector<std::span<const std::int32_t>> op_ids_;
  std::vector<std::span<float>> input_diffs_;
  std::vector<char> fresh_inputs_;
};

}  // namespace recloom::nn
