#include "scoring/block_scores.hpp"

#include <algorithm>

#include "kernels/gemm.hpp"
#include "scoring/candidate_scores.hpp"

namespace recloom {

BlockScores::BlockScores(const ScoreGrid& grid, std::size_t most_rows)
    : grid_(grid), buffer_size_(most_rows * static_cast<std::size_t>(grid.tile_items())) {
  if (grid.head() != nullptr) queries_.emplace(*grid.head(), most_rows);
}

void BlockScores::clear() {
  kept_.clear();
  // Not before it is wanted: scoring given items needs no tiles.
  if (buffers_.empty()) buffers_.resize(buffer_size_ * (queries_ ? kKeptTiles + 1 : 1));
}

void BlockScores::encode(const Batch& rows) {
  if (const auto ready = grid_.encoded(rows)) {
    queries_->copy(*ready);
  } else {
    queries_->encode(rows);
  }
}

void BlockScores::start(const Batch& rows) {
  clear();
  if (queries_) {
    encode(rows);
    return;
  }
  const auto n_items = static_cast<std::size_t>(grid_.n_items());
  const std::span<float> scores(buffers_.data(), rows.size() * n_items);
  std::ranges::fill(scores, 0.0F);
  grid_.model().full_sort_predict(rows, {scores, n_items});
}

void BlockScores::start(Span2d<const float> queries) {
  clear();
  queries_->copy(queries);
}

ScoreTile BlockScores::tile(int index) {
  const ItemTile items = grid_.tile(index);
  ScoreTile tile{items.first, items.width, buffers_.data(),
                 static_cast<std::size_t>(grid_.tile_items())};
  if (!queries_) return tile;
  const auto found = std::ranges::find(kept_, index);
  tile.scores += static_cast<std::size_t>(found - kept_.begin()) * buffer_size_;
  if (found != kept_.end()) return tile;
  compute(items, tile);
  if (kept_.size() < kKeptTiles) kept_.push_back(index);
  return tile;
}

void BlockScores::compute(const ItemTile& items, const ScoreTile& tile) {
  const CheckedHead& head = *grid_.head();
  const float* query = queries_->row(0);
  for (std::size_t index = 0; index < head.tables().size(); ++index) {
    const std::int64_t width = head.tables()[index].width;
    kernels::gemm({.transpose_b = true,
                   .m = static_cast<std::int64_t>(queries_->rows()),
                   .n = items.padded_width,
                   .k = width,
                   .a = query,
                   .lda = static_cast<std::int64_t>(head.query_size()),
                   .b = grid_.vectors(index, items),
                   .ldb = width,
                   .c = tile.scores,
                   .ldc = static_cast<std::int64_t>(tile.stride),
                   .accumulate = index != 0});
    query += width;
  }
  const float* const norms = grid_.norms() == nullptr ? nullptr : grid_.norms() + items.first;
  const float* const bias = head.bias() == nullptr ? nullptr : head.bias() + items.first;
  for (std::size_t row = 0; row < queries_->rows(); ++row)
    head.finish(tile.row(row), queries_->norm(row), norms, bias);
}

void BlockScores::score_items(const Batch& rows, Span2d<const ItemId> items, Span2d<float> scores) {
  if (!queries_) {
    grid_.model().predict(rows, items, scores);
    return;
  }
  encode(rows);
  score_candidates(*grid_.head(), grid_.norms(), *queries_, items, scores);
}

}  // namespace recloom
