#include "eval/block_ranker.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "eval/nan_score.hpp"
#include "kernels/rank.hpp"

namespace recloom {
namespace {

constexpr double kUnranked = std::numeric_limits<double>::infinity();

}  // namespace

BlockRanker::BlockRanker(const ScoreGrid& grid, const RankingRules& rules, const HistoryMask& mask,
                         std::size_t most_rows)
    : grid_(grid), rules_(rules), scores_(grid, most_rows), mask_(mask) {
  if (rules.list_length) top_.emplace(*rules.list_length, most_rows);
  if (rules.candidates) draw_work_.emplace(grid.n_items());
}

void BlockRanker::rank(const Batch& rows, std::span<const std::int32_t> lost_targets,
                       const Visit& visit) {
  prepare(rows);
  for (std::size_t row = 0; row < lost_targets.size(); ++row)
    n_unranked_[row] += static_cast<std::size_t>(lost_targets[row]);
  if (rules_.candidates) {
    rank_candidates(rows);
  } else {
    rank_all_items(rows);
  }
  for (std::size_t row = 0; row < rows.size(); ++row) visit(row, ranked(rows, row));
}

void BlockRanker::prepare(const Batch& rows) {
  target_items_.clear();
  targets_.clear();
  n_unranked_.clear();
  n_candidates_.assign(rows.size(), 0);
  mask_.start(rows);
  for (std::size_t index = 0; index < rows.size(); ++index) list_targets(rows[index], index);
  if (top_) top_->start(rows.size());
}

void BlockRanker::list_targets(const Row& row, std::size_t index) {
  std::vector<ItemId>& items = target_items_.open();
  const auto first = static_cast<std::ptrdiff_t>(items.size());
  items.insert(items.end(), row.targets.begin(), row.targets.end());
  std::size_t n_unranked = 0;
  const auto keep = [&](auto last) {
    n_unranked += static_cast<std::size_t>(items.end() - last);
    items.erase(last, items.end());
  };
  const auto begin = [&] { return items.begin() + first; };
  keep(std::remove_if(begin(), items.end(),
                      [&](ItemId item) { return !is_real(item, grid_.n_items()); }));
  std::sort(begin(), items.end());
  items.erase(std::unique(begin(), items.end()), items.end());
  if (rules_.mask_targets)
    keep(std::remove_if(begin(), items.end(),
                        [&](ItemId item) { return mask_.hides(index, item); }));
  target_items_.close();
  n_unranked_.push_back(n_unranked);
  for (const ItemId item : target_items_[index]) targets_.push_back({.row = index, .item = item});
}

void BlockRanker::rank_all_items(const Batch& rows) {
  scores_.start(rows);
  read_target_scores();
  for (int index = 0; index < grid_.n_tiles(); ++index) {
    const ScoreTile tile = scores_.tile(index);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      mask(row, tile);
      look_at(rows[row], row, tile.row(row), tile.first, {});
    }
  }
}

// A target that is ranked stays a candidate, whatever hides it.
void BlockRanker::mask(std::size_t row, const ScoreTile& tile) {
  const std::span<float> scores = tile.row(row);
  mask_.apply(row, tile.first, scores);
  for (const Target& target : targets_of(row)) {
    const ItemId place = target.item - tile.first;
    if (place >= 0 && place < tile.width) scores[static_cast<std::size_t>(place)] = target.score;
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
    mask_.append_to(row, excluded_);
    rules_.candidates->draw(rows[row].id, excluded_, *draw_work_, drawn_);
    std::vector<ItemId>& items = candidate_items_.open();
    std::ranges::merge(drawn_, targets, std::back_inserter(items));
    candidate_items_.close();
  }
}

RankedRow BlockRanker::ranked(const Batch& rows, std::size_t row) {
  const std::span<const Target> targets = targets_of(row);
  rank_targets(targets, rules_.ties, n_unranked_[row], ranks_);
  rank_targets(targets, TieRule::mean, n_unranked_[row], mean_ranks_);
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
