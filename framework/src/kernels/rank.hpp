#pragma once
#include <cstddef>
#include <cstdint>

#include "recloom/core/export.hpp"

// What ranking does with a row of scores. Single-threaded, no allocation. Comparisons are exact, so
// counts do not depend on the instruction set; finished scores do, in their last bit.
namespace recloom::kernels {

/// How some scores compare with one. -0 equals +0. A NaN is in none of the counts.
struct ScoreCounts {
  std::int64_t above = 0;
  std::int64_t equal = 0;
  std::int64_t candidates = 0;  ///< Scores that are not -inf.
  bool nan = false;             ///< One of the scores is NaN.
};
RECLOOM_API ScoreCounts count_scores(std::size_t n, const float* scores, float reference);

/// A collect_above() result holds at least this many entries less than its capacity.
inline constexpr std::size_t kCollectSlack = 16;

struct Collected {
  std::size_t scanned = 0;  ///< How many scores were looked at; less than n if the room ran out.
  std::size_t kept = 0;
};
/// Copy the scores that are above `threshold` (NaN counts as above), in order, with their indices
/// (`first` + position). @param capacity entries of room in kept_*, more than kCollectSlack.
RECLOOM_API Collected collect_above(std::size_t n, const float* scores, float threshold,
                                    std::int32_t first, std::size_t capacity, float* kept_scores,
                                    std::int32_t* kept_indices);

inline constexpr std::size_t kMaximaGroup = 16;
/// Write the largest of every kMaximaGroup scores; a rest of fewer is left out.
/// @param maxima [n / kMaximaGroup]; what stands for a group with a NaN is open.
RECLOOM_API void group_maxima(std::size_t n, const float* scores, float* maxima);

// From dot products to scores, in place. `bias` [n] may be null. Each element's value depends on
// its own operands alone, not on its position.

/// scores = scale * scores + bias
RECLOOM_API void finish_dot(std::size_t n, float scale, const float* bias, float* scores);
/// scores = scale * (scores * inverse_norms) + bias; the query has length 1.
RECLOOM_API void finish_cosine(std::size_t n, float scale, const float* inverse_norms,
                               const float* bias, float* scores);
/// scores = bias - scale * sqrt(max(0, query_norm + norms - 2 scores)); norms are squared.
RECLOOM_API void finish_negative_euclidean(std::size_t n, float scale, float query_norm,
                                           const float* norms, const float* bias, float* scores);

}  // namespace recloom::kernels
