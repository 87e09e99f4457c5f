#pragma once
#include <cstdint>
#include <string_view>

#include "recloom/core/export.hpp"
#include "recloom/nn/derivation.hpp"
#include "recloom/nn/item_head.hpp"
#include "recloom/nn/losses.hpp"
#include "recloom/nn/ops.hpp"
#include "recloom/nn/var.hpp"

namespace recloom::nn {

/// A padded history inside the graph, and everything that depends on where its pads are.
class RECLOOM_API History {
 public:
  Ids ids() const;        ///< [L]
  Ids positions() const;  ///< [L]: 0..L-1 by column.
  Var mask() const;       ///< [L, 1]: 1 where an item is, 0 on pads.
  Var length() const;     ///< [1], at least 1.
  /// Take what stands at the last item: [L, d] -> [d]. An empty history counts as one pad.
  Var last(Var x) const;
  Ids last_item() const;  ///< The same for ids(): [].

 private:
  friend class Inputs;
  History(Ids ids, Padding padding) : ids_(ids), padding_(padding) {}
  Ids ids_;
  Padding padding_;
};

/// What a network computes from. Symbolic: the same recording serves every shard.
class RECLOOM_API Inputs {
 public:
  bool training() const noexcept;
  Ids user() const;  ///< []; a user the model never saw looks up the mean of all users.
  History history(Padding padding = Padding::right) const;  ///< One side per model.
  /// [T], what came next, oldest first; training only. Of users with fewer, id 0 stands before.
  Ids targets() const;
  Ids negatives() const;  ///< [N]; training only.
  /// Fill a named integer input per row by own code (masking, reordering). It starts as zeros.
  Ids derive(std::string_view name, int size, DeriveFunction fill) const;

  /// The loss chosen in the config (train.loss, train.loss_reduction) of query [q] against the
  /// targets.
  Loss loss(Var query, const ItemHead& head) const;
  /// The chosen loss, for models that must treat one apart: "CE", "BPR", "BCE", "gBCE",
  /// "sampled_softmax".
  std::string_view loss_name() const;
  /// Score some items of each row, [q], [N] -> [N]. Item vectors are read in place: N costs N
  /// numbers of memory, not N vectors. @throws ModelError a similarity other than the dot product.
  Var score(Var query, const ItemHead& head, Ids items) const;

  explicit Inputs(Graph* graph) : graph_(graph) {}

 private:
  Loss loss_of_rows(Var query, const ItemHead& head) const;

  Graph* graph_;
};

}  // namespace recloom::nn
