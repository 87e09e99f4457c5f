#pragma once
#include <array>
#include <span>

#include "recloom/nn/graph.hpp"
#include "recloom/nn/network_recommender.hpp"
#include "recloom/nn/op.hpp"

// Ops that authors reach through History and Inputs.
namespace recloom::nn {

/// An op that every recording makes anew, from the shapes of its operands: one that knows of L what
/// they tell. A model's own op may have been made once, for one L.
class ShapedOp : public Op {
 public:
  /// Numbers that it was made with beside the shapes: two recordings are the same only if these
  /// are.
  virtual std::array<double, 2> constants() const { return {}; }
  /// backward(), the first to write some of the gradients: what stands in them has no meaning.
  /// @param fresh by input, whether it is the first. An op that does not override this finds zeros.
  virtual void backward_into(const OpBackward& c, std::span<const char> fresh) const;
};
/// For backward_into(): gradients are added to.
inline constexpr char kNothingFresh[3] = {};

/// Of an op that works on each vector along the last axis: another axis may be time.
inline Reach reach_of_vectors(const Shape& x) { return x.rank >= 2 ? Reach::same : Reach::unknown; }

Var not_zero(Ids ids);   ///< [L] -> [L, 1]: 1 where an id is not 0.
Var length_of(Ids ids);  ///< [L] -> [1]: how many are not 0, at least 1.
/// table[ids]: [..] -> [.., columns].
RECLOOM_API Var lookup(Parameter table, Ids ids, PaddingRow padding_row);
/// @throws ModelError a table or the bias does not have one row per item, a table stands twice.
void require_fitting(const ItemHead& head, std::size_t n_items);
/// @throws ModelError the query has another width than the item vectors, a similarity that no loss
/// knows.
void require_fitting(const ItemHead& head, Var query);
/// Per-row softmax cross-entropy over all items, [1].
Var softmax_cross_entropy(Var query, const ItemHead& head, Ids targets);
/// The same of logits that the model itself computes, [n_items].
Var logits_cross_entropy(Var logits, Ids targets);

}  // namespace recloom::nn
