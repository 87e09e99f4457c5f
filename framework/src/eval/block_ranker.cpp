#include "eval/block_ranker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "kernels/rank.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr double kUnranked = std::numeric_limits<double>::infinity();

bool is_real(ItemId item, int n_items) { return item > 0 && item < n_items; }

}  // namespace

void ItemLists::close_as_set(int n_items) {
  const auto first = items_.begin() + static_cast<std::ptrdiff_t>(ends_.empty() ? 0 : ends_.back());
  auto last =
      std::remove_if(first, items_.end(), [&](ItemId item) { return !is_real(item, n_items); });
  std::sort(first, last);
  last = std::unique(first, last);
  items_.erase(last, items_.end());
  close();
}

void append_masked(const Batch& rows, MaskHistory mask, const ItemLists& targets, int n_items,
                   ItemLists& masked) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    std::vector<ItemId>& items = masked.open();
    const auto add = [&](std::span<const ItemId> history) {
      std::ranges::copy_if(history, std::back_inserter(items), [&](ItemId item) {
        return !std::ranges::binary_search(targets[row], item);
      });
    };
    if (mask == MaskHistory::input) add(rows[row].history);
    if (mask == MaskHistory::full) add(rows.whole_history(row));
    masked.close_as_set(n_items);
  }
}

void mask_scores(std::span<float> scores, ItemId first, std::span<const ItemId> masked,
                 std::size_t& next) {
  if (first == 0) scores[0] = -HUGE_VALF;
  const ItemId end = first + static_cast<ItemId>(scores.size());
  // Tiles that nobody looks at are left out.
  while (next < masked.size() && masked[next] < first) ++next;
  for (; next < masked.size() && masked[next] < end; ++next)
    scores[static_cast<std::size_t>(masked[next] - first)] = -HUGE_VALF;
}

void throw_not_a_number(const Row& row, std::span<const float> scores, ItemId first,
                        std::span<const ItemId> items) {
  const auto place = static_cast<std::size_t>(
      std::ranges::find_if(scores, [](float score) { return std::isnan(score); }) - scores.begin());
  const ItemId item = items.empty() ? first + static_cast<ItemId>(place) : items[place];
  throw NumericError(fmt::format("the model's score of item {} in row {} (user {}) is not a number",
                                 item, row.id, row.user));
}

BlockRanker::BlockRanker(const ScoreGrid& grid, const RankingRules& rules, std::size_t most_rows)
    : grid_(grid), rules_(rules), scores_(grid, most_rows) {
  if (rules.list_length > 0) top_.emplace(rules.list_length, most_rows);
  if (rules.candidates) draw_scratch_.emplace(grid.n_items());
}

void BlockRanker::rank(const Batch& rows, const Visit& visit) {
  prepare(rows);
  if (rules_.candidates) {
    rank_candidates(rows);
  } else {
    rank_all_items(rows);
  }
  for (std::size_t row = 0; row < rows.size(); ++row) visit(row, ranked(rows, row));
}

void BlockRanker::prepare(const Batch& rows) {
  target_items_.clear();
  masked_.clear();
  targets_.clear();
  n_unknown_.clear();
  n_candidates_.assign(rows.size(), 0);
  for (std::size_t index = 0; index < rows.size(); ++index) {
    const Row row = rows[index];
    std::vector<ItemId>& items = target_items_.open();
    items.insert(items.end(), row.targets.begin(), row.targets.end());
    n_unknown_.push_back(static_cast<std::size_t>(std::ranges::count_if(
        row.targets, [&](ItemId item) { return !is_real(item, grid_.n_items()); })));
    target_items_.close_as_set(grid_.n_items());
    for (const ItemId item : target_items_[index]) targets_.push_back({.row = index, .item = item});
  }
  append_masked(rows, rules_.mask_history, target_items_, grid_.n_items(), masked_);
  if (top_) top_->start(rows.size());
}

void BlockRanker::rank_all_items(const Batch& rows) {
  scores_.start(rows);
  read_target_scores();
  next_masked_.assign(rows.size(), 0);
  for (int index = 0; index < grid_.n_tiles(); ++index) {
    const ScoreTile tile = scores_.tile(index);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      mask_scores(tile.row(row), tile.first, masked_[row], next_masked_[row]);
      look_at(rows[row], row, tile.row(row), tile.first, {});
    }
  }
}

void BlockRanker::read_target_scores() {
  target_tiles_.clear();
  for (const Target& target : targets_) target_tiles_.push_back(target.item / grid_.tile_items());
  std::ranges::sort(target_tiles_);
  target_tiles_.erase(std::ranges::unique(target_tiles_).begin(), target_tiles_.end());
  for (const int index : target_tiles_) {
    const ScoreTile tile = scores_.tile(index);
    for (Target& target : targets_) {
      const ItemId place = target.item - tile.first;
      if (place >= 0 && place < tile.width)
        target.score = tile.row(target.row)[static_cast<std::size_t>(place)];
    }
  }
}

// What a row's targets are compared with: some scores in order of ids. `items` holds the ids, or is
// empty where they are first, first + 1, ...
void BlockRanker::look_at(const Row& row, std::size_t index, std::span<const float> scores,
                          ItemId first, std::span<const ItemId> items) {
  bool good = true;
  const auto count = [&](std::span<const float> some, float reference) {
    const kernels::ScoreCounts counts = kernels::count_scores(some.size(), some.data(), reference);
    good &= !counts.nan;
    return counts;
  };
  bool first_target = true;
  for (Target& target : targets_of(index)) {
    const std::ptrdiff_t place = items.empty()
                                     ? target.item - first
                                     : std::ranges::lower_bound(items, target.item) - items.begin();
    const auto size = static_cast<std::ptrdiff_t>(scores.size());
    const bool inside = place >= 0 && place < size;
    const auto before = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(place, 0, size));
    const auto left = count(scores.first(before), target.score);
    const auto right = count(scores.subspan(before + (inside ? 1 : 0)), target.score);
    target.above += left.above + right.above;
    target.equal_before += left.equal;
    target.equal_after += right.equal;
    if (first_target) n_candidates_[index] += left.candidates + right.candidates;
    if (first_target && inside) n_candidates_[index] += target.score > -HUGE_VALF;
    good &= !std::isnan(target.score);
    first_target = false;
  }
  if (first_target) n_candidates_[index] += count(scores, 0).candidates;
  if (top_) good &= top_->offer(index, scores, items.empty() ? first : 0);
  if (!good) throw_not_a_number(row, scores, first, items);
}

void BlockRanker::rank_candidates(const Batch& rows) {
  draw_candidates(rows);
  std::size_t width = 1;
  for (std::size_t row = 0; row < rows.size(); ++row)
    width = std::max(width, candidate_items_[row].size());
  // Few different widths, so that there are few different products.
  width = (width + 15) / 16 * 16;
  wanted_items_.clear();
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::span<const ItemId> items = candidate_items_[row];
    wanted_items_.insert(wanted_items_.end(), items.begin(), items.end());
    wanted_items_.resize((row + 1) * width, items.empty() ? grid_.n_items() - 1 : items.front());
  }
  wanted_scores_.assign(wanted_items_.size(), 0);
  scores_.score_items(rows, {wanted_items_, width}, {wanted_scores_, width});
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::span<const ItemId> items = candidate_items_[row];
    const auto scores = std::span<const float>(wanted_scores_).subspan(row * width, items.size());
    for (Target& target : targets_of(row))
      target.score = scores[static_cast<std::size_t>(std::ranges::lower_bound(items, target.item) -
                                                     items.begin())];
    if (!items.empty()) look_at(rows[row], row, scores, 0, items);
  }
}

void BlockRanker::draw_candidates(const Batch& rows) {
  candidate_items_.clear();
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::span<const ItemId> targets = target_items_[row];
    excluded_.assign(targets.begin(), targets.end());
    excluded_.insert(excluded_.end(), masked_[row].begin(), masked_[row].end());
    rules_.candidates->draw(rows[row].id, excluded_, *draw_scratch_, drawn_);
    std::vector<ItemId>& items = candidate_items_.open();
    std::ranges::merge(drawn_, targets, std::back_inserter(items));
    candidate_items_.close();
  }
}

RankedRow BlockRanker::ranked(const Batch& rows, std::size_t row) {
  const std::span<const Target> targets = targets_of(row);
  rank_targets(targets, rules_.ties, n_unknown_[row], ranks_);
  rank_targets(targets, TieRule::mean, n_unknown_[row], mean_ranks_);
  list_.clear();
  if (top_) {
    for (const Recommendation& best : top_->best(row))
      list_.push_back(rules_.candidates ? candidate_items_[row][static_cast<std::size_t>(best.item)]
                                        : best.item);
  }
  return {rows[row], ranks_, mean_ranks_, n_candidates_[row], list_};
}

void BlockRanker::rank_targets(std::span<const Target> targets, TieRule ties,
                               std::size_t n_unranked, std::vector<double>& ranks) const {
  ranks.clear();
  for (const Target& target : targets) {
    const auto above = static_cast<double>(target.above);
    const auto before = static_cast<double>(target.equal_before);
    const auto equal = before + static_cast<double>(target.equal_after);
    double rank = above + 1;
    if (ties == TieRule::by_id) rank += before;
    if (ties == TieRule::pessimistic) rank += equal;
    if (ties == TieRule::mean) rank += equal / 2;
    ranks.push_back(target.score > -HUGE_VALF ? rank : kUnranked);
  }
  ranks.insert(ranks.end(), n_unranked, kUnranked);
  std::ranges::sort(ranks);
  if (ties != TieRule::optimistic && ties != TieRule::pessimistic) return;
  // Targets that tie with each other share one place so far: give them the places from the best one
  // down, or from the worst one up.
  for (auto first = ranks.begin(); first != ranks.end() && *first < kUnranked;) {
    const auto last = std::upper_bound(first, ranks.end(), *first);
    const double best =
        *first - (ties == TieRule::pessimistic ? static_cast<double>(last - first) - 1 : 0.0);
    for (double place = best; first != last; ++first, ++place) *first = place;
  }
}

}  // namespace recloom
