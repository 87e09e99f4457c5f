#pragma once
#include <vector>

#include "recloom/model/item_head.hpp"
#include "recloom/nn/parameters.hpp"

namespace recloom::nn {

/// Item vectors to score a query against: tables side by side, [n_items, sum of widths]. Without
/// tables the model has no such form: forward() returns the scores (logits) themselves, [n_items]
/// (RepeatNet).
struct ItemHead {
  std::vector<Parameter> tables;
  Parameter bias = {};  ///< [n_items] or [n_items, 1]
  Similarity similarity = Similarity::dot;
  float scale = 1.0F;
  /// Of tables and bias where some items are scored: users with fewer targets than T have item 0
  /// among them.
  PaddingRow padding_row = PaddingRow::frozen;
};

}  // namespace recloom::nn
