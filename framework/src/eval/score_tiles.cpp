#include "eval/score_tiles.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <string>

#include "kernels/gemm.hpp"
#include "kernels/rank.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

/// Scores that a block of whole rows may take: 2 MiB.
constexpr std::size_t kRowScores = std::size_t{1} << 19;
constexpr std::size_t kFewestBlockRows = 8;
/// Items with scores that the rows of a block may keep, some 16 bytes each: 64 MiB.
constexpr std::size_t kMostKept = std::size_t{1} << 22;
/// PyTorch's bound for normalize(): a shorter vector is divided by this.
constexpr double kShortest = 1e-12;

double squared_length(std::size_t n, const float* x) {
  double sum = 0;
  for (std::size_t index = 0; index < n; ++index) sum += static_cast<double>(x[index]) * x[index];
  return sum;
}

int padded(int items) { return (items + kPaddedItems - 1) / kPaddedItems * kPaddedItems; }

/// What a model says of its items is read without further checks.
void require_legal(const ItemHeadView& head) {
  constexpr auto kMost = static_cast<std::int32_t>(std::size(ItemHeadView{}.tables));
  if (head.n_tables < 1 || head.n_tables > kMost)
    throw ModelError("item_head_view: n_tables is " + std::to_string(head.n_tables) +
                     ", must be 1 to " + std::to_string(kMost));
  for (std::int32_t table = 0; table < head.n_tables; ++table)
    if (head.tables[table].data == nullptr || head.tables[table].width < 1)
      throw ModelError("item_head_view: table " + std::to_string(table) + " is empty");
  const auto similarity = static_cast<std::int32_t>(head.similarity);
  if (similarity < 0 || similarity > static_cast<std::int32_t>(Similarity::negative_euclidean))
    throw ModelError("item_head_view: similarity " + std::to_string(similarity) + " is unknown");
}

double inverse_length(double squared) { return 1 / std::max(std::sqrt(squared), kShortest); }

}  // namespace

ScoreGrid::ScoreGrid(const SequentialRecommender& model, const RunContext& run,
                     std::size_t kept_per_row)
    : model_(model),
      factorised_(model.factorised()),
      n_items_(model.catalogue().n_items),
      tile_items_(std::max(n_items_, 1)),
      kept_per_row_(kept_per_row) {
  if (factorised_ == nullptr) return;
  head_ = factorised_->item_head_view();
  query_size_ = factorised_->query_size();
  tile_items_ = padded(std::min(tile_items_, kTileItems));
  require_legal(head_);
  std::int64_t width = 0;
  for (std::int32_t table = 0; table < head_.n_tables; ++table) width += head_.tables[table].width;
  if (width != query_size_)
    throw ModelError("the model's queries have " + std::to_string(query_size_) +
                     " elements, its item tables side by side " + std::to_string(width));
  if (head_.similarity != Similarity::dot) compute_norms(run);
  pad_last_tile();
}

void ScoreGrid::pad_last_tile() {
  const int width = n_items_ % tile_items_;
  if (width == padded(width)) return;
  const auto first = static_cast<std::size_t>(n_items_ - width);
  for (std::int32_t index = 0; index < head_.n_tables; ++index) {
    const ItemTableView& table = head_.tables[index];
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
    for (std::size_t item = chunk * kChunk; item < end; ++item) {
      double squared = 0;
      for (std::int32_t index = 0; index < head_.n_tables; ++index) {
        const ItemTableView& table = head_.tables[index];
        const auto width = static_cast<std::size_t>(table.width);
        squared += squared_length(width, table.data + item * width);
      }
      norms_[item] = static_cast<float>(
          head_.similarity == Similarity::cosine ? inverse_length(squared) : squared);
    }
  });
}

std::size_t ScoreGrid::block_rows(std::size_t n_rows) const noexcept {
  const std::size_t scored = fused()
                                 ? kMostBlockRows
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
  if (!fused()) return;
  const auto width = static_cast<std::size_t>(query_size_);
  queries_.assign(rows.size() * width, 0.0F);
  factorised_->encode_all(rows, {queries_, width}, run);
  encoded_rows_ = rows.entries().data();
  n_encoded_ = rows.size();
}

const float* ScoreGrid::encoded(const Batch& rows) const noexcept {
  const Batch::Entry* first = rows.entries().data();
  const std::less_equal<> not_after;
  if (n_encoded_ == 0 || !not_after(encoded_rows_, first) ||
      !not_after(first + rows.size(), encoded_rows_ + n_encoded_))
    return nullptr;
  return queries_.data() +
         static_cast<std::size_t>(first - encoded_rows_) * static_cast<std::size_t>(query_size_);
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

BlockScores::BlockScores(const ScoreGrid& grid, std::size_t most_rows)
    : grid_(grid),
      queries_(most_rows * static_cast<std::size_t>(grid.query_size_)),
      query_norms_(most_rows),
      buffer_size_(most_rows * static_cast<std::size_t>(grid.tile_items_)) {}

void BlockScores::encode(const Batch& rows) {
  const auto width = static_cast<std::size_t>(grid_.query_size_);
  const std::span<float> queries(queries_.data(), rows.size() * width);
  if (const float* ready = grid_.encoded(rows)) {
    std::copy_n(ready, queries.size(), queries.data());
  } else {
    std::ranges::fill(queries, 0.0F);
    grid_.factorised_->encode(rows, {queries, width});
  }
  if (grid_.head_.similarity == Similarity::dot) return;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::span<float> query = queries.subspan(row * width, width);
    const double squared = squared_length(width, query.data());
    query_norms_[row] = static_cast<float>(squared);
    if (grid_.head_.similarity != Similarity::cosine) continue;
    const double factor = inverse_length(squared);
    for (float& element : query) element = static_cast<float>(element * factor);
  }
}

void BlockScores::start(const Batch& rows) {
  rows_ = rows.size();
  kept_.clear();
  // Not before it is wanted: scoring given items needs no tiles.
  if (buffers_.empty()) buffers_.resize(buffer_size_ * (grid_.fused() ? kKeptTiles + 1 : 1));
  if (grid_.fused()) {
    encode(rows);
    return;
  }
  const auto n_items = static_cast<std::size_t>(grid_.n_items_);
  const std::span<float> scores(buffers_.data(), rows_ * n_items);
  std::ranges::fill(scores, 0.0F);
  grid_.model_.full_sort_predict(rows, {scores, n_items});
}

ScoreTile BlockScores::tile(int index) {
  const ItemId first = index * grid_.tile_items_;
  ScoreTile tile{first, std::min(grid_.tile_items_, grid_.n_items_ - first), buffers_.data(),
                 static_cast<std::size_t>(grid_.tile_items_)};
  if (!grid_.fused()) return tile;
  const auto found = std::ranges::find(kept_, index);
  tile.scores += static_cast<std::size_t>(found - kept_.begin()) * buffer_size_;
  if (found != kept_.end()) return tile;
  compute(tile);
  if (kept_.size() < kKeptTiles) kept_.push_back(index);
  return tile;
}

void BlockScores::compute(const ScoreTile& tile) {
  const auto first = static_cast<std::size_t>(tile.first);
  const float* query = queries_.data();
  for (std::int32_t index = 0; index < grid_.head_.n_tables; ++index) {
    const ItemTableView& table = grid_.head_.tables[index];
    const bool ragged = padded(tile.width) != tile.width;
    kernels::gemm({.transpose_b = true,
                   .m = static_cast<std::int64_t>(rows_),
                   .n = padded(tile.width),
                   .k = table.width,
                   .a = query,
                   .lda = grid_.query_size_,
                   .b = ragged ? grid_.last_vectors_[static_cast<std::size_t>(index)].data()
                               : table.data + first * static_cast<std::size_t>(table.width),
                   .ldb = table.width,
                   .c = tile.scores,
                   .ldc = static_cast<std::int64_t>(tile.stride),
                   .accumulate = index != 0});
    query += table.width;
  }
  const ItemHeadView& head = grid_.head_;
  for (std::size_t row = 0; row < rows_; ++row)
    finish(row, tile.row(row), grid_.norms_.empty() ? nullptr : grid_.norms_.data() + first,
           head.bias == nullptr ? nullptr : head.bias + first);
}

void BlockScores::finish(std::size_t row, std::span<float> scores, const float* norms,
                         const float* bias) const {
  const ItemHeadView& head = grid_.head_;
  switch (head.similarity) {
    case Similarity::dot:
      if (bias != nullptr || head.scale != 1)
        kernels::finish_dot(scores.size(), head.scale, bias, scores.data());
      return;
    case Similarity::cosine:
      kernels::finish_cosine(scores.size(), head.scale, norms, bias, scores.data());
      return;
    case Similarity::negative_euclidean:
      kernels::finish_negative_euclidean(scores.size(), head.scale, query_norms_[row], norms, bias,
                                         scores.data());
      return;
  }
}

void BlockScores::score_items(const Batch& rows, Span2d<const ItemId> items, Span2d<float> scores) {
  if (!grid_.fused()) {
    grid_.model_.predict(rows, items, scores);
    return;
  }
  encode(rows);
  for (std::size_t row = 0; row < rows.size(); ++row) score_row_items(row, items[row], scores[row]);
}

void BlockScores::score_row_items(std::size_t row, std::span<const ItemId> items,
                                  std::span<float> scores) {
  const ItemHeadView& head = grid_.head_;
  const float* query = queries_.data() + row * static_cast<std::size_t>(grid_.query_size_);
  for (std::int32_t index = 0; index < head.n_tables; ++index) {
    const ItemTableView& table = head.tables[index];
    const auto width = static_cast<std::size_t>(table.width);
    gathered_.resize(items.size() * width);
    float* to = gathered_.data();
    for (const ItemId item : items)
      to = std::copy_n(table.data + static_cast<std::size_t>(item) * width, width, to);
    kernels::gemm({.transpose_b = true,
                   .m = 1,
                   .n = static_cast<std::int64_t>(items.size()),
                   .k = table.width,
                   .a = query,
                   .lda = grid_.query_size_,
                   .b = gathered_.data(),
                   .ldb = table.width,
                   .c = scores.data(),
                   .ldc = static_cast<std::int64_t>(scores.size()),
                   .accumulate = index != 0});
    query += width;
  }
  const auto pick = [&](const float* all, std::vector<float>& picked) -> const float* {
    if (all == nullptr) return nullptr;
    picked.clear();
    for (const ItemId item : items) picked.push_back(all[item]);
    return picked.data();
  };
  finish(row, scores, pick(grid_.norms_.empty() ? nullptr : grid_.norms_.data(), gathered_norms_),
         pick(head.bias, gathered_bias_));
}

}  // namespace recloom
