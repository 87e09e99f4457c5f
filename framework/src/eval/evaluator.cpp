#include "recloom/eval/evaluator.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <numeric>
#include <string>

#include "eval/block_ranker.hpp"
#include "eval/metric_sums.hpp"
#include "eval/rows_file.hpp"
#include "eval/score_tiles.hpp"
#include "eval/workspace_pool.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

RankingRules make_rules(const EvalOptions& options, const EvalContext& context,
                        const MetricTable& table, const ScoreGrid& grid, const RunContext& run) {
  RankingRules rules;
  rules.mask_history = options.mask_history;
  rules.ties = options.ties;
  if (table.needs_items()) rules.list_length = std::min(options.topk.back(), grid.n_items());
  const CandidateSpec spec = parse_candidates(options.candidates);
  if (spec.mode == CandidateMode::full) return rules;
  Rng rng = run.rng("eval.candidates");
  if (options.candidates_redrawn) rng = rng.fork("epoch", context.epoch);
  rules.candidates.emplace(spec, options.candidates_redrawn, options.popularity_alpha,
                           context.all_counts, grid.n_items(), rng);
  return rules;
}

/// Rows in an order in which the targets of a block lie in few tiles: these tiles are kept from
/// reading the targets' scores to counting, so that hardly any is computed twice.
struct OrderedRows {
  OrderedRows(const Batch& rows, int tile_items) : order(rows.size()) {
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto tile_of = [&](std::size_t row) {
      const std::span<const ItemId> targets = rows[row].targets;
      return targets.empty() ? 0 : targets.front() / tile_items;
    };
    std::ranges::stable_sort(order, {}, tile_of);
    entries.reserve(rows.size());
    for (const std::size_t row : order) entries.push_back(rows.entries()[row]);
  }
  std::vector<std::size_t> order;  ///< Row of the original batch.
  std::vector<Batch::Entry> entries;
};

/// What a thread works with, block after block.
struct Workspace {
  Workspace(const ScoreGrid& grid, const RankingRules& rules, const MetricTable& table,
            std::size_t most_rows)
      : ranker(grid, rules, most_rows), counts(table.list_count_size()), values(table.width()) {}
  BlockRanker ranker;
  std::vector<std::int64_t> counts;
  std::vector<double> values;
};

std::int64_t count_unknown(const Batch& rows, int n_items) {
  std::int64_t count = 0;
  for (std::size_t row = 0; row < rows.size(); ++row)
    count += std::ranges::count_if(rows[row].targets,
                                   [&](ItemId item) { return item <= 0 || item >= n_items; });
  return count;
}

void check(const EvalOptions& options, const SequentialRecommender& model,
           const EvalContext& context) {
  if (options.topk.empty() || options.topk.front() < 1 || !std::ranges::is_sorted(options.topk))
    throw ConfigError("eval.topk must hold at least one K, ascending, from 1 on");
  if (context.catalogue.n_items != model.catalogue().n_items)
    throw ModelError("the model has " + std::to_string(model.catalogue().n_items) +
                     " items, the data " + std::to_string(context.catalogue.n_items));
}

}  // namespace

EvalReport evaluate(const SequentialRecommender& model, const Batch& rows,
                    const EvalContext& context, const EvalOptions& options,
                    std::span<const NamedMetric> metrics, RunContext& run) {
  const auto start = std::chrono::steady_clock::now();
  check(options, model, context);
  EvalReport report;
  if (rows.size() == 0) return report;

  const MetricTable table(metrics, {context.catalogue, context.train_counts, options.topk});
  ScoreGrid grid(model, run);
  const RankingRules rules = make_rules(options, context, table, grid, run);
  const OrderedRows ordered(rows, grid.tile_items());
  const Batch ordered_rows(rows.tape(), ordered.entries, rows.max_length());
  RowsFile file(context, table, rows.size());

  const std::size_t block_rows = grid.block_rows(rows.size());
  std::vector<MetricSums> sums((rows.size() + block_rows - 1) / block_rows);
  WorkspacePool<Workspace> pool(
      [&] { return std::make_unique<Workspace>(grid, rules, table, block_rows); });
  const auto rank_block = [&](std::size_t block) {
    const std::size_t first = block * block_rows;
    const auto workspace = pool.borrow();
    sums[block] = MetricSums(table);
    workspace->ranker.rank(ordered_rows.rows(first, std::min(block_rows, rows.size() - first)),
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
  report.unknown_targets = count_unknown(rows, grid.n_items());
  std::vector<std::int64_t> counts(table.list_count_size());
  pool.for_each([&](const Workspace& workspace) {
    std::ranges::transform(counts, workspace.counts, counts.begin(), std::plus{});
  });
  report.values = table.report(total, counts);
  file.write();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace recloom
