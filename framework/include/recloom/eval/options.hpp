#pragma once
#include <optional>
#include <string>
#include <vector>

#include "recloom/config/param_schema.hpp"
#include "recloom/core/export.hpp"

namespace recloom {

/// Which items of a row's history are no candidates: none, those that the model sees (the last
/// data.max_length), or all earlier events. A target stays a candidate, in the history or not; only
/// under `strict`, which hides all earlier events too, a target among them is a miss.
enum class MaskHistory : int { none, input, full, strict };
/// Where a relevant item stands among items of equal score: by id (the smaller first), at the best
/// place, at the worst, or at the mean of both (a rank may then be fractional).
enum class TieRule : int { by_id, optimistic, pessimistic, mean };

/// What precision@k divides by where fewer than k items are ranked.
enum class PrecisionDivisor : int { k, list };

/// What becomes of a row whose target was never trained: it counts like any other, or is left out.
enum class ColdTargets : int { count, drop };

/// Keys `eval.*`: what a metric means.
struct RECLOOM_API EvalOptions {
  std::vector<std::string> metrics = {"hit", "mrr", "ndcg", "recall", "precision"};
  std::vector<int> topk = {10, 20};
  MaskHistory mask_history = MaskHistory::none;
  TieRule ties = TieRule::by_id;
  PrecisionDivisor precision_divisor = PrecisionDivisor::k;
  ColdTargets cold_targets = ColdTargets::count;
  std::string candidates = "full";  ///< full, uniN or popN, for example uni100.
  bool candidates_redrawn = false;
  double popularity_alpha = 1;  ///< popN
  double tail_ratio = 0.1;
  Params metric_params;  ///< Of plugins' metrics: keys eval.metric_params.<metric>.<name>.

  /// Declare the keys. Sorts `topk` and drops repeated values. @throws as validate().
  void describe(ParamSchema& schema);
  /// Check what no single key says. @throws ConfigError no metric; no k, or one below 1, or some
  /// that do not ascend; a tail of nothing; candidates of another form.
  void validate() const;
};

enum class CandidateMode : int { uniform, popularity };

/// What uniN and popN of `eval.candidates` say.
struct CandidateSpec {
  CandidateMode mode = CandidateMode::uniform;
  int count = 1;  ///< Candidates beside the targets.
};
/// Return what is drawn; none for full: every item is a candidate.
/// @throws ConfigError anything but full, uniN or popN with N in [1, 2^31 - 1].
RECLOOM_API std::optional<CandidateSpec> parse_candidates(const std::string& text);

}  // namespace recloom
