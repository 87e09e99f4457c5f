#include "recloom/eval/evaluator.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <string>

#include "core/pool.hpp"
#include "eval/block_ranker.hpp"
#include "eval/cold_targets.hpp"
#include "eval/metric_sums.hpp"
#include "eval/rows_file.hpp"
#include "recloom/core/error.hpp"
#include "recloom/eval/metric_keys.hpp"
#include "scoring/score_grid.hpp"

namespace recloom {
namespace {

RankingRules make_rules(const EvalOptions& options, const EvalContext& context,
                        const MetricTable& table, const ScoreGrid& grid, const RunContext& run) {
  RankingRules rules;
  rules.ties = options.ties;
  rules.mask_targets = options.mask_history == MaskHistory::strict;
  if (table.needs_items()) rules.list_length = std::min(options.topk.back(), grid.n_items());
  const auto spec = parse_candidates(options.candidates);
  if (!spec) return rules;
  Rng rng = run.rng("eval.candidates");
  if (options.candidates_redrawn) rng = rng.fork("epoch", context.epoch);
  rules.candidates.emplace(*spec, options.candidates_redrawn, options.popularity_alpha,
                           context.all_counts, grid.n_items(), rng);
  return rules;
}

/// Rows in an order in which the targets of a block lie in few tiles: these tiles are kept from
/// reading the targets' scores to counting, so that hardly any is computed twice.
struct OrderedRows {
  OrderedRows(const Batch& rows, std::span<const std::int32_t> lost, int tile_items)
      : order(rows.size()) {
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto tile_of = [&](std::size_t row) {
      const std::span<const ItemId> targets = rows[row].targets;
      return targets.empty() ? 0 : targets.front() / tile_items;
    };
    std::ranges::stable_sort(order, {}, tile_of);
    entries.reserve(rows.size());
    for (const std::size_t row : order) entries.push_back(rows.entries()[row]);
    if (lost.empty()) return;
    for (const std::size_t row : order) lost_targets.push_back(lost[row]);
  }
  std::span<const std::int32_t> lost(std::size_t first, std::size_t count) const {
    return lost_targets.empty() ? std::span<const std::int32_t>()
                                : std::span(lost_targets).subspan(first, count);
  }
  std::vector<std::size_t> order;  ///< Row of the original batch.
  std::vector<Batch::Entry> entries;
  std::vector<std::int32_t> lost_targets;  ///< Empty: none.
};

/// What a thread works with, block after block.
struct Workspace {
  Workspace(const ScoreGrid& grid, const RankingRules& rules, const HistoryMask& mask,
            const MetricTable& table, std::size_t most_rows)
      : ranker(grid, rules, mask, most_rows),
        counts(table.list_count_size()),
        values(table.width()) {}
  BlockRanker ranker;
  std::vector<std::int64_t> counts;
  std::vector<double> values;
};

std::int64_t count_unknown(const Batch& rows, const EvalContext& context, int n_items) {
  std::int64_t count =
      std::reduce(context.lost_targets.begin(), context.lost_targets.end(), std::int64_t{0});
  for (std::size_t row = 0; row < rows.size(); ++row)
    count += std::ranges::count_if(rows[row].targets,
                                   [&](ItemId item) { return !is_real(item, n_items); });
  return count;
}

/// How many items with their scores a row keeps while it is ranked.
std::size_t kept_per_row(const EvalOptions& options, const MetricTable& table, int n_items) {
  const auto drawn = parse_candidates(options.candidates);
  const int list = table.needs_items() ? options.topk.back() : 0;
  const int candidates = drawn ? drawn->count : 0;
  return static_cast<std::size_t>(std::min(std::max(list, candidates), n_items));
}

void check(const EvalOptions& options, const SequentialRecommender& model,
           const EvalContext& context, std::size_t n_rows) {
  options.validate();
  if (context.catalogue.n_items != model.catalogue().n_items)
    throw ModelError("the model has " + std::to_string(model.catalogue().n_items) +
                     " items, the data " + std::to_string(context.catalogue.n_items));
  if (!context.lost_targets.empty() && context.lost_targets.size() != n_rows)
    throw InternalError("lost_targets and rows differ in number");
}

/// Every metric that an evaluation computes, none with a value.
EvalReport report_of_nothing(const EvalOptions& options, std::span<const NamedMetric> metrics) {
  EvalReport report;
  for (const NamedMetric& metric : metrics)
    for (const std::string& key : metric_keys(metric, options.topk))
      report.values[key] = std::numeric_limits<double>::quiet_NaN();
  return report;
}

EvalReport rank_rows(const SequentialRecommender& model, const Batch& rows,
                     const EvalContext& context, const EvalOptions& options,
                     std::span<const NamedMetric> metrics, RunContext& run) {
  EvalReport report;
  const MetricTable table(metrics, {context.catalogue, context.train_counts, options.topk});
  ScoreGrid grid(model, run, kept_per_row(options, table, model.catalogue().n_items));
  const RankingRules rules = make_rules(options, context, table, grid, run);
  const OrderedRows ordered(rows, context.lost_targets, grid.tile_items());
  const Batch ordered_rows(rows.events(), ordered.entries, rows.max_length());
  const HistoryMask mask(ordered_rows, options.mask_history, grid.n_items(), run);
  RowsFile file(context, table, rows);

  const std::size_t block_rows = grid.block_rows(rows.size());
  std::vector<MetricSums> sums((rows.size() + block_rows - 1) / block_rows);
  Pool<Workspace> pool(
      [&] { return std::make_unique<Workspace>(grid, rules, mask, table, block_rows); });
  const auto rank_block = [&](std::size_t block) {
    const std::size_t first = block * block_rows, n = std::min(block_rows, rows.size() - first);
    const auto workspace = pool.borrow();
    sums[block] = MetricSums(table);
    workspace->ranker.rank(ordered_rows.rows(first, n), ordered.lost(first, n),
                           [&](std::size_t row, const RankedRow& ranked) {
                             table.values_of(ranked, workspace->values);
                             sums[block].add(table, ranked, workspace->values);
                             table.count_lists(ranked, workspace->counts);
                             file.set(ordered.order[first + row], ranked, workspace->values);
                           });
  };
  for_each_encoded(grid, ordered_rows, run, rank_block);

  MetricSums total(table);
  for (const MetricSums& block : sums) total.add(block);
  report.rows = total.rows();
  report.unknown_targets = count_unknown(rows, context, grid.n_items());
  std::vector<std::int64_t> counts(table.list_count_size());
  pool.for_each([&](const Workspace& workspace) {
    std::ranges::transform(counts, workspace.counts, counts.begin(), std::plus{});
  });
  report.values = table.report(total, counts);
  file.write();
  return report;
}

}  // namespace

EvalReport evaluate(const SequentialRecommender& model, const Batch& rows,
                    const EvalContext& context, const EvalOptions& options,
                    std::span<const NamedMetric> metrics, RunContext& run) {
  const auto start = std::chrono::steady_clock::now();
  check(options, model, context, rows.size());
  if (rows.size() == 0) return {};
  const KeptRows kept(rows, context, options.cold_targets);
  EvalReport report = kept.rows().size() > 0
                          ? rank_rows(model, kept.rows(), kept.context(), options, metrics, run)
                          : report_of_nothing(options, metrics);
  kept.note_in(report);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace recloom
