#pragma once
#include <string>
#include <vector>

#include "recloom/config/param_schema.hpp"
#include "recloom/core/export.hpp"

namespace recloom {

enum class MaskHistory : int { none, input, full };
enum class TieRule : int { by_id, optimistic, pessimistic, mean };

/// Keys `eval.*`: what a metric means.
struct RECLOOM_API EvalOptions {
  std::vector<std::string> metrics = {"hit", "mrr", "ndcg", "recall", "precision"};
  std::vector<int> topk = {10, 20};
  MaskHistory mask_history = MaskHistory::none;
  TieRule ties = TieRule::by_id;
  std::string candidates = "full";  ///< full, uniN or popN, for example uni100.
  bool candidates_redrawn = false;
  double popularity_alpha = 1;      ///< popN
  double tail_ratio = 0.1;

  void describe(ParamSchema& schema);
};

}  // namespace recloom
