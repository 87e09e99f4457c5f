#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
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

/// What an evaluation found.
struct EvalReport {
  /// "ndcg@10", "gauc", ... -> value; empty if there was no row. NaN where a metric is defined
  /// for none of the rows.
  std::map<std::string, double> values;
  std::int64_t rows = 0;             ///< Rows that were ranked.
  std::int64_t unknown_targets = 0;  ///< Targets that are no item of the model: misses.
  double seconds = 0;                ///< Wall time, the model included.
  double rows_per_second() const noexcept {
    return seconds > 0 ? static_cast<double>(rows) / seconds : 0;
  }
};

/// What the evaluator must know of the data beside the rows themselves.
struct EvalContext {
  Catalogue catalogue;
  std::span<const std::int64_t> train_counts;  ///< Training targets of every item, [n_items].
  std::span<const std::int64_t> all_counts;    ///< Targets of any row, for popN.
  std::uint64_t epoch = 0;                     ///< Keys the candidates when they are redrawn.
  /// Where each row's values go; "" = nowhere. Tab separated, a header, then a line per row in the
  /// order of the rows: user, target (comma separated), rank (ascending, inf where an item
  /// cannot be ranked), then the metrics that have a value per row. Tabs, line ends and backslashes
  /// of tokens are escaped by a backslash.
  std::string rows_file;
  /// For that file; empty: ids are written.
  std::span<const std::string> user_tokens, item_tokens;
  /// For that file: the same rows in the ids of these tokens. Null: the ranked rows.
  const Batch* named_rows = nullptr;
  /// [rows] targets of a row that are no items of the model and that the rows do not even hold:
  /// misses as well. Empty: none.
  std::span<const std::int32_t> lost_targets;
};

/// Return the built-in metrics that `options.metrics` names, in that order.
/// @throws ConfigError unknown name, with the nearest.
RECLOOM_API std::vector<NamedMetric> builtin_metrics(const EvalOptions& options);
/// Return the names that builtin_metrics knows.
RECLOOM_API std::vector<std::string> builtin_metric_names();
/// Return one built-in metric, or null if no metric of that name is built in (a plugin may be).
RECLOOM_API std::shared_ptr<Metric> make_builtin_metric(std::string_view name,
                                                        const EvalOptions& options);
/// @param plugins names of the plugins there are, of any kind. @throws ConfigError always: unknown
/// name, what is built in, the nearest of both.
[[noreturn]] RECLOOM_API void throw_unknown_metric(std::string_view name,
                                                   std::span<const std::string> plugins = {});

/// Rank every row's targets and reduce to metrics, in parallel over blocks of rows; all K in one
/// pass; the score matrix is never materialised. The values do not depend on the number of threads.
///
/// A target stays a candidate even if the history holds it and is masked. A target with id 0, or
/// whose score is -inf, is a miss: its rank is infinite. Column 0 is never ranked.
/// @param model must not change meanwhile. @param metrics prepared here.
/// @throws Interrupted a stop was requested (looked at between blocks of rows): nothing is written.
/// @throws NumericError if a score is NaN, naming item, row and user; ConfigError for options that
/// make no sense together; IoError for the rows file.
RECLOOM_API EvalReport evaluate(const SequentialRecommender& model, const Batch& rows,
                                const EvalContext& context, const EvalOptions& options,
                                std::span<const NamedMetric> metrics, RunContext& run);

}  // namespace recloom
