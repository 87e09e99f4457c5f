#pragma once
#include <span>

#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/batch.hpp"
#include "recloom/eval/eval_context.hpp"
#include "recloom/eval/eval_report.hpp"
#include "recloom/eval/metric.hpp"
#include "recloom/eval/options.hpp"
#include "recloom/model/sequential_recommender.hpp"

namespace recloom {

/// Rank every row's targets and reduce to metrics, in parallel over blocks of rows; all K in one
/// pass; the score matrix is never materialised. The values do not depend on the number of threads.
///
/// A row may ask for several items, each of which counts once. A target stays a candidate even if
/// the history holds it and is masked (not under MaskHistory::strict). A target with id 0, or whose
/// score is -inf, is a miss: its rank is infinite. Column 0 is never ranked.
/// @param model must not change meanwhile. @param metrics prepared here.
/// @throws Interrupted a stop was requested (looked at between blocks of rows): nothing is written.
/// @throws NumericError if a score is NaN, naming item, row and user; ConfigError for options that
/// make no sense together; IoError for the rows file.
RECLOOM_API EvalReport evaluate(const SequentialRecommender& model, const Batch& rows,
                                const EvalContext& context, const EvalOptions& options,
                                std::span<const NamedMetric> metrics, RunContext& run);

}  // namespace recloom
