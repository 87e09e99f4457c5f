#include "recloom/eval/recommend.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "core/pool.hpp"
#include "eval/history_mask.hpp"
#include "eval/nan_score.hpp"
#include "eval/recommend.hpp"
#include "recloom/core/error.hpp"
#include "scoring/block_scores.hpp"
#include "scoring/score_grid.hpp"
#include "scoring/top_items.hpp"

namespace recloom {
namespace {

/// Items that no row may get, ascending: the padding entry, what is blocked or not allowed.
class Barred {
 public:
  Barred(const TopKOptions& options, int n_items)
      : barred_(static_cast<std::size_t>(n_items), options.allow.empty() ? 0 : 1) {
    mark(options.allow, false, "allow");
    mark(options.block, true, "block");
    if (n_items > 0) barred_[0] = 1;
  }

  /// Return whether nothing of a tile may be recommended.
  bool all_of(ItemId first, int width) const {
    return std::ranges::all_of(part(first, width), [](std::uint8_t barred) { return barred != 0; });
  }
  void apply(ItemId first, std::span<float> scores) const {
    const std::span<const std::uint8_t> barred = part(first, static_cast<int>(scores.size()));
    for (std::size_t place = 0; place < scores.size(); ++place)
      if (barred[place] != 0) scores[place] = -HUGE_VALF;
  }
  /// Return whether apply() does nothing but what a BlockMask does anyway.
  bool none_of(ItemId first, int width) const {
    const std::span<const std::uint8_t> barred = part(first, width);
    return std::ranges::all_of(barred.subspan(first == 0 ? 1 : 0),
                               [](std::uint8_t each) { return each == 0; });
  }

 private:
  void mark(std::span<const ItemId> items, bool barred, const char* list) {
    for (const ItemId item : items) {
      if (item < 0 || static_cast<std::size_t>(item) >= barred_.size())
        throw ConfigError(std::string("the ") + list + " list holds item id " +
                          std::to_string(item) + ", the largest is " +
                          std::to_string(barred_.size() - 1));
      barred_[static_cast<std::size_t>(item)] = barred ? 1 : 0;
    }
  }
  std::span<const std::uint8_t> part(ItemId first, int width) const {
    return std::span(barred_).subspan(static_cast<std::size_t>(first),
                                      static_cast<std::size_t>(width));
  }

  std::vector<std::uint8_t> barred_;  ///< [n_items]
};

/// Candidates of the rows of a block; a row without a list may get every item.
using Candidates = std::span<const std::vector<ItemId>>;

std::span<const ItemId> within(const std::vector<ItemId>& items, ItemId first, int width) {
  const auto begin = std::ranges::lower_bound(items, first);
  const auto end = std::lower_bound(begin, items.end(), first + width);
  return {begin, end};
}

/// Whether some row may get something of a tile.
bool wanted(Candidates candidates, ItemId first, int width) {
  return candidates.empty() || std::ranges::any_of(candidates, [&](const auto& own) {
           return own.empty() || !within(own, first, width).empty();
         });
}

/// Bar everything but a row's candidates. @param own those within the scores, ascending.
void keep_only(std::span<const ItemId> own, ItemId first, std::span<float> scores) {
  std::size_t at = 0;
  for (const ItemId item : own) {
    const auto place = static_cast<std::size_t>(item - first);
    if (place < at) continue;
    std::fill(scores.begin() + static_cast<std::ptrdiff_t>(at),
              scores.begin() + static_cast<std::ptrdiff_t>(place), -HUGE_VALF);
    at = place + 1;
  }
  std::fill(scores.begin() + static_cast<std::ptrdiff_t>(at), scores.end(), -HUGE_VALF);
}

struct Workspace {
  Workspace(const ScoreGrid& grid, const HistoryMask& mask, int k, std::size_t most_rows)
      : scores(grid, most_rows), hidden(mask), top(k, most_rows) {}
  BlockScores scores;
  BlockMask hidden;
  TopItems top;
};

void rank_block(const Batch& rows, const ScoreGrid& grid, const Barred& barred,
                Candidates candidates, Workspace& work) {
  work.hidden.start(rows);
  work.top.start(rows.size());
  work.scores.start(rows);
  for (int index = 0; index < grid.n_tiles(); ++index) {
    const ItemId first = index * grid.tile_items();
    const int width = std::min(grid.tile_items(), grid.n_items() - first);
    if (barred.all_of(first, width) || !wanted(candidates, first, width)) continue;
    const bool clean = barred.none_of(first, width);
    const ScoreTile tile = work.scores.tile(index);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const std::span<float> scores = tile.row(row);
      if (!clean) barred.apply(first, scores);
      if (!candidates.empty() && !candidates[row].empty())
        keep_only(within(candidates[row], first, width), first, scores);
      work.hidden.apply(row, first, scores);
      if (!work.top.offer(row, scores, first)) throw_not_a_number(rows[row], scores, first);
    }
  }
}

}  // namespace

std::vector<std::vector<Recommendation>> top_k(const SequentialRecommender& model,
                                               const Batch& rows, const TopKOptions& options,
                                               const RunContext& run) {
  return top_k_of(model, rows, options, {}, run);
}

std::vector<std::vector<Recommendation>> top_k_of(const SequentialRecommender& model,
                                                  const Batch& rows, const TopKOptions& options,
                                                  Candidates candidates, const RunContext& run) {
  if (options.k < 1)
    throw ConfigError("k = " + std::to_string(options.k) + ": must be an integer of at least 1");
  std::vector<std::vector<Recommendation>> lists(rows.size());
  const int n_items = model.catalogue().n_items, k = std::clamp(n_items, 1, options.k);
  ScoreGrid grid(model, run, static_cast<std::size_t>(k));
  const HistoryMask mask(rows, options.hide_history ? MaskHistory::full : MaskHistory::none,
                         n_items, run);
  const Barred barred(options, grid.n_items());
  const std::size_t block_rows = grid.block_rows(rows.size());
  Pool<Workspace> pool([&] { return std::make_unique<Workspace>(grid, mask, k, block_rows); });
  for_each_encoded(grid, rows, run, [&](std::size_t block) {
    const std::size_t first = block * block_rows;
    const Batch own = rows.rows(first, std::min(block_rows, rows.size() - first));
    const auto work = pool.borrow();
    rank_block(own, grid, barred,
               candidates.empty() ? candidates : candidates.subspan(first, own.size()), *work);
    for (std::size_t row = 0; row < own.size(); ++row) {
      const std::span<const Recommendation> best = work->top.best(row);
      lists[first + row].assign(best.begin(), best.end());
    }
  });
  return lists;
}

}  // namespace recloom
