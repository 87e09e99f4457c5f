#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/untouched.hpp"
#include "nn/passes/plan.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/batch.hpp"

namespace recloom::nn {

/// Keys of a pass's random draws.
struct DrawKeys {
  std::uint64_t seed = 0, epoch = 0;
};

/// Some rows of a batch on their way through a plan, and the memory for it. Used by one thread at a
/// time; nothing is allocated once the buffers have grown.
///
/// The protocol is load(), forward(), clear_diffs(), backward(), and may begin anew at each that
/// has been reached; a call that comes too early throws InternalError. Between load() and forward()
/// the host may supply nodes or leave them out, between clear_diffs() and backward() it seeds
/// gradients.
class RECLOOM_API Shard {
 public:
  /// How far the rows have come.
  enum class Phase : char { empty, loaded, computed, cleared };

  Shard(const Plan& plan, std::size_t capacity);

  Phase phase() const { return phase_; }
  /// Compute with another plan of the same graph from the next load() on, one of ShorterPlans: it
  /// takes no more memory.
  void use(const Plan& plan);
  const Plan& plan() const { return *plan_; }
  /// Fill the integer inputs from rows. @param rows at most `capacity`.
  void load(const Batch& rows, const DrawKeys& keys);
  /// Say that a node's value() and saved() are computed elsewhere this time: forward and backward
  /// leave it out.
  void supply(NodeId node) { roles_[node] = Role::supplied; }
  bool supplied(NodeId node) const { return node && roles_[node] == Role::supplied; }
  /// Say that nobody looks at a node this time: it has neither value() nor diff().
  void leave_out(NodeId node) { roles_[node] = Role::left_out; }
  bool left_out(NodeId node) const { return roles_[node] == Role::left_out; }
  /// Compute every used node but the softmax heads and the supplied ones.
  /// @param run asked before every node whether to stop. @throws Interrupted.
  void forward(const RunContext* run = nullptr);
  /// Forget all gradients. Those of outputs are zeros then, to be added to.
  /// @param seeded other nodes whose gradients the host adds to. @param all_dense false: those of
  /// parameters that only a supplied node uses are left as they are.
  void clear_diffs(std::span<const NodeId> seeded, bool all_dense);
  /// From the gradients seeded in diff() to those of parameters and lookups.
  /// @param transient at least plan().transient_per_row() * rows() floats, of any content.
  /// @param run as in forward(). @param look called for each node with a gradient once that is
  /// complete, if given.
  void backward(std::span<float> transient, const RunContext* run = nullptr,
                const std::function<void(NodeId)>& look = {});

  std::size_t rows() const { return rows_; }
  std::size_t capacity() const { return capacity_; }
  std::span<float> value(NodeId node);
  /// Of a transient gradient only while backward() runs; then, or if there is none: empty.
  std::span<float> diff(NodeId node);
  std::span<float> saved(NodeId node);
  /// Integers of every row.
  std::span<const std::int32_t> ids(NodeId node) const;
  /// The ids operand of a lookup or of row scores, as they get it.
  std::span<const std::int32_t> lookup_ids(NodeId node) const;
  float* dense_diff(std::size_t offset) { return dense_diff_.data() + offset; }

  /// One node again.
  void forward(NodeId node);

 private:
  enum class Role : char { computed, supplied, left_out };
  void require(Phase least, std::string_view call) const;
  bool computed(NodeId node) const {
    return plan_->slot(node).used && roles_[node] == Role::computed;
  }
  void backward(NodeId node);
  void find_leaders(const Batch& rows);
  std::size_t rows_of(NodeId node) const {
    return plan_->slot(node).shared ? leaders_.size() : rows_;
  }
  std::span<const std::int32_t> ids(NodeId node, NodeId user) const;
  void lookup(NodeId node, const Lookup& work);
  void row_scores(NodeId node, const RowScores& work);
  void row_scores_backward(NodeId node, const RowScores& work);
  // Where positions are shared, in shared_past.cpp.
  bool gathers_shared(const Node& node) const;
  void gather_last(NodeId node);
  void scatter_last(NodeId node);
  std::size_t last_place(const Node& node, std::size_t row) const;

  OpContext context(NodeId node);
  OpBackward backward_context(NodeId node);
  bool take_first_write(NodeId node);
  void clear_at_first_write(NodeId node);
  void clear_inputs(const Node& node);

  const Plan* plan_;
  std::size_t capacity_, rows_ = 0;
  Phase phase_ = Phase::empty;
  DrawKeys keys_;
  // What a supplied node makes needless (dense gradients, vectors) is never touched.
  UntouchedFloats values_, diffs_, saved_, dense_diff_;
  std::span<float> transient_;  // While backward() runs.
  std::vector<std::int32_t> ids_;
  std::vector<std::int64_t> row_ids_;
  ByNode<Role> roles_;
  ByNode<bool> unwritten_;  // Nothing was written to its gradient yet.
  // Of rows that share a past, the last is the leader: shared nodes are computed for it.
  std::vector<std::size_t> leaders_;          // Rows, ascending.
  std::vector<std::int64_t> leader_ids_;      // Their row ids.
  std::vector<std::uint32_t> leader_of_row_;  // Index into leaders_.
  // Operand lists of the op that runs now; kept for their capacity.
  std::vector<std::span<const float>> inputs_;
  std::vector<std::span<const std::int32_t>> op_ids_;
  std::vector<std::span<float>> diff_inputs_;
  std::vector<char> first_write_;
};

}  // namespace recloom::nn
