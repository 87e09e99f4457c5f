#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/aligned.hpp"
#include "nn/exec/batch_items.hpp"
#include "recloom/core/run_context.hpp"

namespace recloom::nn {

/// Computes one op over looked-up histories for a whole batch, from the batch's distinct items
/// instead of every row's own copy of their vectors. Exact: the same numbers, added in another
/// order. The work is cut into a fixed number of groups, so the bits do not depend on threads.
class ItemOp {
 public:
  ItemOp(const Plan& plan, NodeId node) : plan_(plan), node_(node) {}
  virtual ~ItemOp() = default;
  NodeId node() const { return node_; }
  const Plan& plan() const { return plan_; }
  /// Of its first parameter, for a trace.
  std::string_view name() const { return parameter(1).name(); }

  /// Say, from counts alone, whether this way is cheaper than the op's own.
  virtual bool worth_while(const BatchItems& items) const = 0;
  /// Fill the node's value() in all shards.
  virtual void forward(const BatchItems& items, Shards shards, const RunContext& context) = 0;
  /// After the shards' backward: gradients of parameters are added to the first shard's, those of
  /// the item vectors go to vector_diffs().
  virtual void backward(const BatchItems& items, Shards shards, const RunContext& context) = 0;
  virtual std::size_t n_groups() const = 0;
  /// [items, columns]: gradients of the item vectors, to be added in the order of groups.
  virtual const float* vector_diffs(std::size_t group) const = 0;

 protected:
  /// Return where the gradient of the node's parameter operand is added up, or null.
  float* dense_diff(Shards shards, std::size_t operand) const {
    const Plan::Dense* dense = plan_.find_dense(parameter(operand).data());
    return dense == nullptr ? nullptr : shards.front()->dense_diff(dense->offset);
  }
  /// Make room in a buffer that lasts from forward() to the end of a step.
  static void grow(AlignedFloats& buffer, std::size_t n) {
    if (buffer.size() < n) buffer.resize(n);
  }
  Parameter parameter(std::size_t operand) const {
    return plan_.graph().node(node_).operands[operand].parameter;
  }
  /// Whether anybody wants vector_diffs().
  bool trains_vectors() const {
    return plan_.slot(plan_.graph().node(node_).operands.front().node()).gradient;
  }

  const Plan& plan_;
  NodeId node_;
};

}  // namespace recloom::nn
