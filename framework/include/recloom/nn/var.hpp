#pragma once
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "recloom/core/export.hpp"
#include "recloom/nn/shape.hpp"

namespace recloom::nn {

class Graph;  // recorded once for one row, the number of rows symbolic; run with cached primitives

/// The place of a node in its graph; none by default.
class NodeId {
 public:
  constexpr NodeId() = default;
  constexpr explicit NodeId(std::size_t index) : value_(static_cast<std::int32_t>(index)) {}
  constexpr explicit operator bool() const noexcept { return value_ >= 0; }
  constexpr std::size_t index() const noexcept { return static_cast<std::size_t>(value_); }
  friend constexpr auto operator<=>(const NodeId&, const NodeId&) = default;

 private:
  std::int32_t value_ = -1;
};

/// A float tensor of the graph, one per row: shape() leaves the row axis out ([L, d], [d], []).
/// Empty by default.
class RECLOOM_API Var {
 public:
  Var() = default;
  Var(Graph* graph, NodeId node) : graph_(graph), node_(node) {}
  explicit operator bool() const noexcept { return graph_ != nullptr; }
  Shape shape() const;
  int size() const;  ///< Extent of the last axis.
  /// Give the node a name for profiles, dumps, golden tests and "NaN first seen in ...". @return
  /// the same node.
  Var named(std::string_view name) const;
  Graph* graph() const noexcept { return graph_; }
  NodeId node() const noexcept { return node_; }

 private:
  Graph* graph_ = nullptr;
  NodeId node_;
};

/// An integer tensor of the graph, one per row: item ids, user ids, positions. Id 0 means absent.
class RECLOOM_API Ids {
 public:
  Ids() = default;
  Ids(Graph* graph, NodeId node) : graph_(graph), node_(node) {}
  explicit operator bool() const noexcept { return graph_ != nullptr; }
  Shape shape() const;
  Graph* graph() const noexcept { return graph_; }
  NodeId node() const noexcept { return node_; }

 private:
  Graph* graph_ = nullptr;
  NodeId node_;
};

}  // namespace recloom::nn
