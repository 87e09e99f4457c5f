#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/dataset.hpp"
#include "recloom/eval/metric.hpp"
#include "recloom/eval/options.hpp"
#include "recloom/model/sequential_recommender.hpp"

namespace recloom {

struct NamedMetric {
  std::string name;
  std::shared_ptr<Metric> metric;
};

/// What an evaluation found. Keys of `values`: "ndcg@10", "gauc".
struct EvalReport {
  std::map<std::string, double> values;
  std::int64_t rows = 0;
  double seconds = 0;
};

/// What the evaluator must know of the data beside the rows themselves.
struct EvalContext {
  Catalogue catalogue;
  std::span<const std::int64_t> train_counts;  ///< Training targets of every item, [n_items].
  std::span<const std::int64_t> all_counts;    ///< Targets of any row, for popN.
  std::uint64_t epoch = 0;  ///< Keys the candidates when they are redrawn.
  std::string rows_file;    ///< Where each row's values go (TSV); "" = nowhere.
  std::span<const std::string> user_tokens;  ///< For that file; empty: ids are written.
};

/// Return the built-in metrics of these names. @throws ConfigError unknown name, with the nearest.
RECLOOM_API std::vector<NamedMetric> builtin_metrics(const EvalOptions& options);
/// Return the names that builtin_metrics knows.
RECLOOM_API std::vector<std::string> builtin_metric_names();

/// Rank every row's targets and reduce to metrics, in parallel over rows; all K in one pass. The
/// values do not depend on the number of threads.
/// @throws NumericError if a score is NaN, naming the row.
RECLOOM_API EvalReport evaluate(const SequentialRecommender& model, const Batch& rows,
                                const EvalContext& context, const EvalOptions& options,
                                std::span<const NamedMetric> metrics, RunContext& run);

}  // namespace recloom
