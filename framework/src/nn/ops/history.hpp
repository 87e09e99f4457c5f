#pragma once
#include "recloom/nn/op.hpp"
#include "recloom/nn/ops.hpp"

// Ops that authors reach through History, and what passes put in.
namespace recloom::nn {

Var not_zero(Ids ids);   ///< [L] -> [L, 1]: 1 where an id is not 0.
Var length_of(Ids ids);  ///< [L] -> [1]: how many are not 0, at least 1.
/// Whether an op looks at a whole history and gives the same however many pads there are.
bool ignores_pads(const Op& op);
/// [L, d], [] -> [1, d]: select() that leaves the time axis.
Var select_one(Var x, Ids position);

}  // namespace recloom::nn
