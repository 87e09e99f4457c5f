#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "core/aligned.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/types.hpp"
#include "recloom/data/batch.hpp"
#include "scoring/block_queries.hpp"
#include "scoring/score_grid.hpp"

namespace recloom {

/// Scores of some rows for a range of items, to be read and written.
struct ScoreTile {
  ItemId first = 0;
  int width = 0;
  float* scores = nullptr;
  std::size_t stride = 0;
  std::span<float> row(std::size_t row) const {
    return {scores + row * stride, static_cast<std::size_t>(width)};
  }
};

/// The scores of one block of rows, and the memory for them; one thread's, used block after block.
///
/// A score is computed by one product of fixed shape (block x tile), so asking for a tile twice
/// gives the same bits. The tiles asked for first are kept: what is looked at ahead (the targets'
/// tiles) is not computed again when its turn comes.
class RECLOOM_API BlockScores {
 public:
  BlockScores(const ScoreGrid& grid, std::size_t most_rows);

  /// Begin a block: compute the queries (or, for a model of another form, all scores).
  void start(const Batch& rows);
  /// Begin a block with queries that are there; for a query x item model only.
  void start(Span2d<const float> queries);
  /// Return tile `index` of the block. Valid until the next call, with what was written to it.
  ScoreTile tile(int index);
  /// Score given items instead of all: row r's products come from one call.
  /// @param items [rows, C] real items, repeats allowed. @param[out] scores [rows, C].
  void score_items(const Batch& rows, Span2d<const ItemId> items, Span2d<float> scores);

 private:
  void clear();
  void encode(const Batch& rows);
  void compute(const ItemTile& items, const ScoreTile& tile);

  static constexpr std::size_t kKeptTiles = 2;
  const ScoreGrid& grid_;
  std::optional<BlockQueries> queries_;  ///< Of a query x item model.
  AlignedFloats buffers_;                ///< [kKeptTiles + 1, rows, tile_items], or all scores.
  std::size_t buffer_size_ = 0;
  std::vector<int> kept_;  ///< Which tiles lie in the first buffers.
};

}  // namespace recloom
