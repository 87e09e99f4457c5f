#include "scoring/model_scores.hpp"

#include <algorithm>
#include <cstddef>

#include "recloom/core/run_context.hpp"
#include "scoring/block_queries.hpp"
#include "scoring/block_scores.hpp"
#include "scoring/candidate_scores.hpp"
#include "scoring/checked_head.hpp"
#include "scoring/score_grid.hpp"

namespace recloom {
namespace {

/// Call body(first row, number of rows) for every block.
template <class Body>
void for_blocks(std::size_t n_rows, const Body& body) {
  for (std::size_t first = 0; first < n_rows; first += kMostBlockRows)
    body(first, std::min(kMostBlockRows, n_rows - first));
}

template <class T>
Span2d<T> rows_of(Span2d<T> matrix, std::size_t first, std::size_t n) {
  const std::size_t columns = matrix.columns();
  return {matrix.flat().subspan(first * columns, n * columns), columns};
}

/// @param start begins a block: (scores, first row, number of rows).
template <class Start>
void score_block(const SequentialRecommender& model, std::size_t n_rows, Span2d<float> scores,
                 const Start& start) {
  if (n_rows == 0) return;
  const RunContext run(0, 1);
  const ScoreGrid grid(model, run);
  BlockScores block(grid, std::min(n_rows, kMostBlockRows));
  for_blocks(n_rows, [&](std::size_t first, std::size_t n) {
    start(block, first, n);
    for (int index = 0; index < grid.n_tiles(); ++index) {
      const ScoreTile tile = block.tile(index);
      for (std::size_t row = 0; row < n; ++row)
        std::ranges::copy(tile.row(row), scores[first + row].begin() + tile.first);
    }
  });
}

}  // namespace

void score_all_items(const SequentialRecommender& model, const Batch& rows, Span2d<float> scores) {
  score_block(model, rows.size(), scores,
              [&](BlockScores& block, std::size_t first, std::size_t n) {
                block.start(rows.rows(first, n));
              });
}

void score_all_items(const SequentialRecommender& model, Span2d<const float> queries,
                     Span2d<float> scores) {
  score_block(model, queries.rows(), scores,
              [&](BlockScores& block, std::size_t first, std::size_t n) {
                block.start(rows_of(queries, first, n));
              });
}

void score_given_items(const SequentialRecommender& model, const Batch& rows,
                       Span2d<const ItemId> items, Span2d<float> scores) {
  if (rows.size() == 0) return;
  const CheckedHead head(*model.factorised());
  BlockQueries queries(head, std::min(rows.size(), kMostBlockRows));
  for_blocks(rows.size(), [&](std::size_t first, std::size_t n) {
    queries.encode(rows.rows(first, n));
    score_candidates(head, nullptr, queries, rows_of(items, first, n), rows_of(scores, first, n));
  });
}

}  // namespace recloom
