#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <span>
#include <vector>

#include "recloom/data/batch.hpp"
#include "recloom/eval/options.hpp"

/// Ranking as its definition says, one row at a time, with a full sort.
namespace recloom::testing {

struct BruteForceRow {
  std::vector<ItemId> list;   ///< Candidates, best first, ties by smaller id.
  std::vector<double> ranks;  ///< Of the targets, ascending; infinity for what cannot be ranked.
};

inline std::vector<ItemId> masked_items(const Batch& rows, std::size_t row, MaskHistory mask) {
  const std::span<const ItemId> history =
      mask == MaskHistory::input ? rows[row].history : rows.whole_history(row);
  if (mask == MaskHistory::none) return {};
  return {history.begin(), history.end()};
}

/// @param eligible which items may be candidates at all; empty: every item.
inline BruteForceRow brute_force_rank(std::span<const float> scores, const Batch& rows,
                                      std::size_t row, MaskHistory mask, TieRule ties,
                                      const std::vector<ItemId>& eligible = {}) {
  const std::span<const ItemId> targets = rows[row].targets;
  const auto contains = [](const auto& list, ItemId item) {
    return std::ranges::find(list, item) != list.end();
  };
  const std::vector<ItemId> masked = masked_items(rows, row, mask);
  BruteForceRow result;
  for (ItemId item = 1; item < static_cast<ItemId>(scores.size()); ++item) {
    const bool target = contains(targets, item);
    if (contains(masked, item) && (!target || mask == MaskHistory::strict)) continue;
    if (!target && !eligible.empty() && !contains(eligible, item)) continue;
    if (scores[static_cast<std::size_t>(item)] > -HUGE_VALF) result.list.push_back(item);
  }
  const auto score = [&](ItemId item) { return scores[static_cast<std::size_t>(item)]; };
  std::ranges::stable_sort(result.list, std::greater{}, score);

  std::vector<ItemId> order = result.list;
  if (ties == TieRule::optimistic || ties == TieRule::pessimistic)
    std::ranges::stable_sort(order, [&](ItemId a, ItemId b) {
      if (score(a) != score(b)) return score(a) > score(b);
      return ties == TieRule::optimistic ? contains(targets, a) > contains(targets, b)
                                         : contains(targets, a) < contains(targets, b);
    });
  for (std::size_t place = 0; place < order.size(); ++place) {
    if (!contains(targets, order[place])) continue;
    double rank = static_cast<double>(place) + 1;
    if (ties == TieRule::mean) {
      double sum = 0, n = 0;
      for (std::size_t other = 0; other < order.size(); ++other)
        if (score(order[other]) == score(order[place])) {
          sum += static_cast<double>(other) + 1;
          ++n;
        }
      rank = sum / n;
    }
    result.ranks.push_back(rank);
  }
  std::vector<ItemId> unknown;
  for (const ItemId item : targets)
    if (item <= 0 || (!contains(result.list, item) && !contains(unknown, item)))
      unknown.push_back(item);
  result.ranks.resize(result.ranks.size() + unknown.size(),
                      std::numeric_limits<double>::infinity());
  return result;
}

}  // namespace recloom::testing
