#include "scoring/score_grid.hpp"

#include <algorithm>
#include <functional>

namespace recloom {
namespace {

/// Scores that a block of whole rows may take: 2 MiB.
constexpr std::size_t kRowScores = std::size_t{1} << 19;
constexpr std::size_t kFewestBlockRows = 8;
/// Items with scores that the rows of a block may keep, some 16 bytes each: 64 MiB.
constexpr std::size_t kMostKept = std::size_t{1} << 22;

int padded(int items) { return (items + kPaddedItems - 1) / kPaddedItems * kPaddedItems; }

}  // namespace

ScoreGrid::ScoreGrid(const SequentialRecommender& model, const RunContext& run,
                     std::size_t kept_per_row)
    : model_(model),
      n_items_(model.catalogue().n_items),
      tile_items_(std::max(n_items_, 1)),
      kept_per_row_(kept_per_row) {
  const Factorised* const factorised = model.factorised();
  if (factorised == nullptr) return;
  head_.emplace(*factorised);
  tile_items_ = padded(std::min(tile_items_, kTileItems));
  if (head_->needs_norms()) compute_norms(run);
  pad_last_tile();
}

void ScoreGrid::pad_last_tile() {
  const int width = n_items_ % tile_items_;
  if (width == padded(width)) return;
  const auto first = static_cast<std::size_t>(n_items_ - width);
  for (const ItemTableView& table : head_->tables()) {
    const auto size = static_cast<std::size_t>(table.width);
    AlignedFloats& vectors =
        last_vectors_.emplace_back(static_cast<std::size_t>(padded(width)) * size);
    std::copy_n(table.data + first * size, static_cast<std::size_t>(width) * size, vectors.begin());
  }
}

void ScoreGrid::compute_norms(const RunContext& run) {
  constexpr std::size_t kChunk = 4096;
  const auto n_items = static_cast<std::size_t>(n_items_);
  norms_.resize(n_items);
  run.parallel_for((n_items + kChunk - 1) / kChunk, [&](std::size_t chunk) {
    const std::size_t end = std::min(n_items, (chunk + 1) * kChunk);
    for (std::size_t item = chunk * kChunk; item < end; ++item)
      norms_[item] = head_->norm(static_cast<ItemId>(item));
  });
}

ItemTile ScoreGrid::tile(int index) const noexcept {
  const ItemId first = index * tile_items_;
  const int width = std::min(tile_items_, n_items_ - first);
  return {first, width, head_ ? padded(width) : width};
}

const float* ScoreGrid::vectors(std::size_t table, const ItemTile& tile) const noexcept {
  if (tile.padded_width != tile.width) return last_vectors_[table].data();
  const ItemTableView& all = head_->tables()[table];
  return all.data + static_cast<std::size_t>(tile.first) * static_cast<std::size_t>(all.width);
}

std::size_t ScoreGrid::block_rows(std::size_t n_rows) const noexcept {
  const std::size_t scored = head_ ? kMostBlockRows
                                   : std::clamp(kRowScores / static_cast<std::size_t>(tile_items_),
                                                std::size_t{4}, kMostBlockRows);
  const std::size_t most =
      std::clamp(kMostKept / std::max(kept_per_row_, std::size_t{1}), std::size_t{1}, scored);
  // Few rows are cut so that four threads have something to do.
  const std::size_t share = (n_rows / 4 + 7) / 8 * 8;
  return std::min({std::max(share, kFewestBlockRows), most, std::max(n_rows, std::size_t{1})});
}

std::size_t ScoreGrid::encode_rows(std::size_t n_rows) const noexcept {
  constexpr std::size_t kRows = 16384;
  const std::size_t block = block_rows(n_rows);
  return std::max(std::size_t{1}, kRows / block) * block;
}

void ScoreGrid::encode(const Batch& rows, const RunContext& run) {
  if (!head_) return;
  queries_.assign(rows.size() * head_->query_size(), 0.0F);
  head_->model().encode_all(rows, {queries_, head_->query_size()}, run);
  encoded_rows_ = rows.entries().data();
  n_encoded_ = rows.size();
}

std::optional<Span2d<const float>> ScoreGrid::encoded(const Batch& rows) const noexcept {
  const Batch::Entry* first = rows.entries().data();
  const std::less_equal<> not_after;
  if (n_encoded_ == 0 || !not_after(encoded_rows_, first) ||
      !not_after(first + rows.size(), encoded_rows_ + n_encoded_))
    return std::nullopt;
  const std::size_t size = head_->query_size();
  return Span2d<const float>(
      std::span(queries_).subspan(static_cast<std::size_t>(first - encoded_rows_) * size,
                                  rows.size() * size),
      size);
}

void for_each_encoded(ScoreGrid& grid, const Batch& rows, const RunContext& run,
                      const std::function<void(std::size_t block)>& body) {
  const std::size_t block_rows = grid.block_rows(rows.size());
  const std::size_t step = grid.encode_rows(rows.size());
  for (std::size_t first = 0; first < rows.size(); first += step) {
    const std::size_t n = std::min(step, rows.size() - first);
    grid.encode(rows.rows(first, n), run);
    run.parallel_for((n + block_rows - 1) / block_rows,
                     [&](std::size_t block) { body(first / block_rows + block); });
  }
}

}  // namespace recloom
