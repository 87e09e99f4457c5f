#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "nn/graph/graph.hpp"
#include "recloom/core/export.hpp"

namespace recloom::nn {

struct ParameterData;

/// What some nodes depend on, themselves included. @throws ModelError an op uses the loss over all
/// items.
ByNode<bool> used_nodes(const Graph& graph, std::span<const NodeId> outputs);

/// What a plan is made for.
struct PlanSettings {
  std::span<const NodeId> outputs;       ///< Nodes that are wanted.
  bool backward = false;                 ///< Plan gradients too.
  const ByNode<bool>* shared = nullptr;  ///< Causality::shared, if rows are to share it.
  int length = 0;                        ///< Positions of a history; 0: L.
};

/// The shapes of a graph's nodes for histories of some length, and where the numbers of each lie in
/// a shard's memory. Of one graph there may be several, which agree in everything but sizes.
class RECLOOM_API Plan {
 public:
  struct Slot {
    bool used = false;       ///< An output depends on it.
    bool output = false;     ///< The host reads it.
    bool gradient = false;   ///< Something trained lies behind it.
    bool shared = false;     ///< Computed once for rows that share a past.
    bool transient = false;  ///< Its gradient is needed while a shard's backward runs, not later.
    std::size_t size = 0, saved_size = 0;        ///< Numbers per row.
    std::size_t value = 0, diff = 0, saved = 0;  ///< Offsets, per row of capacity.
    std::size_t shared_value = 0;                ///< Of shared ids: those of the shared nodes.
  };
  /// A parameter that ops use whole: every shard has its own gradient of it.
  struct Dense {
    Parameter parameter;
    std::size_t offset = 0;
    NodeId only_user;  ///< The one node that uses it; none: several do.
  };

  /// @throws ModelError an op that cannot be computed for so many positions; a network too large.
  Plan(const Graph& graph, const PlanSettings& settings);

  int length() const { return length_; }
  bool shares_past() const { return shares_past_; }
  const Graph& graph() const { return graph_; }
  auto nodes() const { return graph_.ids(); }
  std::size_t n_nodes() const { return slots_.size(); }
  const Slot& slot(NodeId node) const { return slots_[node]; }
  const Shape& shape(NodeId node) const { return shapes_[node]; }
  OpShapes operand_shapes(NodeId node) const { return operand_shapes_[node].view(); }

  std::size_t values_per_row() const { return values_per_row_; }
  std::size_t diffs_per_row() const { return diffs_per_row_; }
  /// Floats for transient gradients, which take each other's place: per row of one shard at work.
  std::size_t transient_per_row() const { return transient_per_row_; }
  std::size_t saved_per_row() const { return saved_per_row_; }
  std::size_t ids_per_row() const { return ids_per_row_; }
  std::size_t dense_size() const { return dense_size_; }
  const std::vector<Dense>& dense() const { return dense_; }
  /// @return null if no op uses the parameter whole, or it is not trained.
  const Dense* find_dense(const ParameterData* parameter) const;
  /// Nodes with a transient gradient that this node's backward is the first to write to.
  std::span<const NodeId> first_writes(NodeId node) const { return first_writes_[node]; }
  /// The node whose floats a node shows in another shape: itself if it is no View.
  NodeId viewed(NodeId node) const;

 private:
  void find_shapes();
  void mark_gradients();
  void add_dense(Parameter parameter, NodeId user);
  void place(NodeId node);
  ByNode<bool> lasting_diffs() const;
  void place_diffs();
  void place_transient();

  const Graph& graph_;
  int length_;
  bool shares_past_;
  ByNode<Slot> slots_;
  ByNode<Shape> shapes_;
  ByNode<OperandShapes> operand_shapes_;
  std::vector<Dense> dense_;
  ByNode<std::vector<NodeId>> first_writes_;
  std::size_t values_per_row_ = 0, diffs_per_row_ = 0, transient_per_row_ = 0, saved_per_row_ = 0,
              ids_per_row_ = 0, dense_size_ = 0;
};

}  // namespace recloom::nn
