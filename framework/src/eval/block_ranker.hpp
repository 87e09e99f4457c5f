#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "eval/candidates.hpp"
#include "eval/score_tiles.hpp"
#include "eval/top_items.hpp"
#include "recloom/eval/metric.hpp"
#include "recloom/eval/options.hpp"

namespace recloom {

/// Lists of items, one per row of a block, in one array.
class ItemLists {
 public:
  void clear() {
    items_.clear();
    ends_.clear();
  }
  std::vector<ItemId>& open() { return items_; }  ///< Append a row's items here, then close().
  void close() { ends_.push_back(items_.size()); }
  std::size_t size() const { return ends_.size(); }
  std::size_t begin_of(std::size_t row) const { return row == 0 ? 0 : ends_[row - 1]; }
  std::span<const ItemId> operator[](std::size_t row) const {
    return std::span(items_).subspan(begin_of(row), ends_[row] - begin_of(row));
  }
  std::span<const ItemId> all() const { return items_; }
  /// Sort what was appended since the last close() and drop repeats and what is no real item.
  void close_as_set(int n_items);

 private:
  std::vector<ItemId> items_;
  std::vector<std::size_t> ends_;
};

/// Append to `masked` the items of each row's history that `mask` hides: ascending, without the
/// row's own targets. `targets` holds ascending lists.
RECLOOM_API void append_masked(const Batch& rows, MaskHistory mask, const ItemLists& targets,
                               int n_items, ItemLists& masked);

/// Set the scores of column 0 and of the masked items that lie in a tile to -inf.
/// @param next in and out: the first of `masked` that no earlier tile held.
RECLOOM_API void mask_scores(std::span<float> scores, ItemId first, std::span<const ItemId> masked,
                             std::size_t& next);

/// @throws NumericError for the first NaN of these scores. @param items their ids; empty: first,
/// first + 1, ...
[[noreturn]] RECLOOM_API void throw_not_a_number(const Row& row, std::span<const float> scores,
                                                 ItemId first, std::span<const ItemId> items = {});

/// How rows are ranked. Shared by threads.
struct RankingRules {
  MaskHistory mask_history = MaskHistory::none;
  TieRule ties = TieRule::by_id;
  std::optional<CandidateSampler> candidates;  ///< None: every item.
  int list_length = 0;                         ///< Length of the top lists; 0: none are made.
};

/// Ranks blocks of rows, one after the other, in memory of its own; one thread's.
///
/// A rank is 1 + the number of candidates in front of the target, counted tile by tile right behind
/// the product. The targets' own scores are read from their tiles before anything is counted.
class RECLOOM_API BlockRanker {
 public:
  using Visit = std::function<void(std::size_t row, const RankedRow& ranked)>;

  BlockRanker(const ScoreGrid& grid, const RankingRules& rules, std::size_t most_rows);
  /// Rank every row and hand it over. @throws NumericError a score is NaN.
  void rank(const Batch& rows, const Visit& visit);

 private:
  struct Target {
    std::size_t row = 0;
    ItemId item = 0;
    float score = 0;
    std::int64_t above = 0;         ///< Candidates of a larger score.
    std::int64_t equal_before = 0;  ///< Candidates of the same score and a smaller id.
    std::int64_t equal_after = 0;
  };

  void prepare(const Batch& rows);
  void rank_all_items(const Batch& rows);
  void rank_candidates(const Batch& rows);
  void read_target_scores();
  void draw_candidates(const Batch& rows);
  void look_at(const Row& row, std::size_t index, std::span<const float> scores, ItemId first,
               std::span<const ItemId> items);
  RankedRow ranked(const Batch& rows, std::size_t row);
  void rank_targets(std::span<const Target> targets, TieRule ties, std::size_t n_unranked,
                    std::vector<double>& ranks) const;
  std::span<Target> targets_of(std::size_t row) {
    return std::span(targets_).subspan(target_items_.begin_of(row), target_items_[row].size());
  }

  const ScoreGrid& grid_;
  const RankingRules& rules_;
  BlockScores scores_;
  std::optional<TopItems> top_;
  std::optional<CandidateSampler::Scratch> draw_scratch_;

  ItemLists target_items_, masked_, candidate_items_;
  std::vector<Target> targets_;             ///< In the order of target_items_.
  std::vector<std::size_t> n_unknown_;      ///< [rows] targets that are no item of the model.
  std::vector<std::int64_t> n_candidates_;  ///< [rows]
  std::vector<std::size_t> next_masked_;    ///< [rows]
  std::vector<int> target_tiles_;
  std::vector<ItemId> excluded_, drawn_, wanted_items_;
  std::vector<float> wanted_scores_;
  std::vector<double> ranks_, mean_ranks_;
  std::vector<ItemId> list_;
};

}  // namespace recloom
