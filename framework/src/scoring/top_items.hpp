#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/core/types.hpp"
#include "recloom/scoring/recommendation.hpp"

namespace recloom {

/// Keeps the k best items of each row of a block while its scores pass by. Order: score, then
/// smaller id. Scores of -inf are no candidates.
class RECLOOM_API TopItems {
 public:
  TopItems(int k, std::size_t most_rows);
  /// Forget everything, for `rows` new rows.
  void start(std::size_t rows);
  /// Look at the scores of items first, first + 1, ... of a row. Calls for one row come with
  /// ascending ids.
  /// @return false if one of the scores is NaN.
  [[nodiscard]] bool offer(std::size_t row, std::span<const float> scores, ItemId first);
  /// Return the best of a row, best first, at most k. Valid until the next call for any row.
  std::span<const Recommendation> best(std::size_t row);

 private:
  void raise_threshold(std::size_t row, std::span<const float> scores);
  void shrink(std::size_t row);
  std::span<std::uint64_t> keys(std::size_t row) {
    return std::span(keys_).subspan(row * stride_, sizes_[row]);
  }

  std::size_t k_;
  std::size_t capacity_;  ///< Entries of a row from which on only the best k are kept.
  std::size_t stride_;
  std::vector<std::uint64_t> keys_;  ///< [rows, stride]; the better the larger.
  std::vector<std::size_t> sizes_;
  std::vector<float> thresholds_;  ///< Only what is above can be among the best.
  std::vector<float> maxima_;
  std::vector<float> new_scores_;
  std::vector<std::int32_t> new_ids_;
  std::vector<Recommendation> best_;
};

}  // namespace recloom
