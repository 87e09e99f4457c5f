#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "eval/candidates.hpp"
#include "eval/history_mask.hpp"
#include "eval/item_lists.hpp"
#include "recloom/eval/metric.hpp"
#include "recloom/eval/options.hpp"
#include "scoring/block_scores.hpp"
#include "scoring/score_grid.hpp"
#include "scoring/top_items.hpp"

namespace recloom {

/// How rows are ranked. Shared by threads.
struct RankingRules {
  TieRule ties = TieRule::by_id;
  bool mask_targets = false;                   ///< A target that the mask hides is a miss.
  std::optional<CandidateSampler> candidates;  ///< None: every item.
  std::optional<int> list_length;              ///< Of the top lists; none: none are made.
};

/// Ranks blocks of rows, one after the other, in memory of its own; one thread's.
///
/// A rank is 1 + the number of candidates in front of the target, counted tile by tile right behind
/// the product. The targets' own scores are read from their tiles before anything is counted.
class RECLOOM_API BlockRanker {
 public:
  using Visit = std::function<void(std::size_t row, const RankedRow& ranked)>;

  BlockRanker(const ScoreGrid& grid, const RankingRules& rules, const HistoryMask& mask,
              std::size_t most_rows);
  /// Rank every row and hand it over. @param lost_targets [rows] as EvalContext says, or empty.
  /// @throws NumericError a score is NaN.
  void rank(const Batch& rows, std::span<const std::int32_t> lost_targets, const Visit& visit);

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
  void list_targets(const Row& row, std::size_t index);
  void rank_all_items(const Batch& rows);
  void rank_candidates(const Batch& rows);
  void read_target_scores();
  void mask(std::size_t row, const ScoreTile& tile);
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
  BlockMask mask_;
  std::optional<TopItems> top_;
  std::optional<CandidateSampler::Workspace> draw_work_;

  ItemLists target_items_, candidate_items_;
  std::vector<Target> targets_;             ///< In the order of target_items_.
  std::vector<std::size_t> n_unranked_;     ///< [rows] distinct targets that cannot be ranked.
  std::vector<std::int64_t> n_candidates_;  ///< [rows]
  std::vector<int> target_tiles_;
  std::vector<ItemId> excluded_, drawn_, wanted_items_;
  std::vector<float> wanted_scores_;
  std::vector<double> ranks_, mean_ranks_;
  std::vector<ItemId> list_;
};

}  // namespace recloom
