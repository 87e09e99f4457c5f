#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/aligned.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/core/types.hpp"
#include "recloom/data/batch.hpp"
#include "recloom/model/item_head.hpp"
#include "recloom/model/sequential_recommender.hpp"

namespace recloom {

/// Rows per block and items per tile of the fused products: 256 x 256 scores are 256 KiB, which
/// stays in a core's second-level cache between the product and what looks at it. Items' vectors
/// are read once per block, so more rows are better than more items.
inline constexpr std::size_t kMostBlockRows = 256;
inline constexpr int kTileItems = 256;
/// Products have a multiple of this many columns: oneDNN computes a remainder by other
/// instructions, so that an item there would get other bits than an equal item elsewhere, and a tie
/// be broken.
inline constexpr int kPaddedItems = 64;
static_assert(kTileItems % kPaddedItems == 0);

/// How a model's scores are computed in pieces: row blocks times item tiles. A query x item model
/// has tiles of kTileItems; any other model scores all items of a few rows at once, its one tile.
/// Immutable, shared by threads; the model must outlive it and must not change meanwhile.
class RECLOOM_API ScoreGrid {
 public:
  /// @param kept_per_row items with scores that a row keeps beside its tiles: its list, or its
  /// candidates. Long ones make blocks of fewer rows.
  /// @throws ModelError the item tables do not fit the queries.
  ScoreGrid(const SequentialRecommender& model, const RunContext& run,
            std::size_t kept_per_row = 0);

  int n_items() const noexcept { return n_items_; }
  int tile_items() const noexcept { return tile_items_; }
  int n_tiles() const noexcept { return n_items_ / tile_items_ + (n_items_ % tile_items_ > 0); }
  bool fused() const noexcept { return factorised_ != nullptr; }
  /// Return how many rows a block should have: a function of the sizes alone, so that results do
  /// not depend on the number of threads.
  std::size_t block_rows(std::size_t n_rows) const noexcept;
  /// Return how many rows to encode() at a time: whole blocks, so many that what they have in
  /// common is worth sharing, so few that their queries stay small.
  std::size_t encode_rows(std::size_t n_rows) const noexcept;
  /// Compute the queries of rows on all threads, for the blocks of these rows that come next. Not
  /// thread safe. Does nothing for a model of another form.
  void encode(const Batch& rows, const RunContext& run);

 private:
  friend class BlockScores;
  /// Return the queries of a block if they were computed ahead, else null.
  const float* encoded(const Batch& rows) const noexcept;
  void compute_norms(const RunContext& run);
  void pad_last_tile();

  const SequentialRecommender& model_;
  const Factorised* factorised_;
  ItemHeadView head_;
  int n_items_;
  int tile_items_;
  std::size_t kept_per_row_;
  int query_size_ = 0;
  /// Per table: the vectors of the last tile with zeros behind, if its width is not a multiple of
  /// kPaddedItems.
  std::vector<AlignedFloats> last_vectors_;
  /// [n_items], by similarity: dot none, cosine 1 / length, negative Euclidean length squared.
  std::vector<float> norms_;
  const Batch::Entry* encoded_rows_ = nullptr;  ///< First row that encode() was given.
  std::size_t n_encoded_ = 0;
  AlignedFloats queries_;  ///< [n_encoded, query_size]
};

/// Call body(block) for every block of rows, on all threads, with the rows' queries computed ahead.
RECLOOM_API void for_each_encoded(ScoreGrid& grid, const Batch& rows, const RunContext& run,
                                  const std::function<void(std::size_t block)>& body);

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
  /// Return tile `index` of the block. Valid until the next call, with what was written to it.
  ScoreTile tile(int index);
  /// Score given items instead of all: row r's products come from one call.
  /// @param items [rows, C] real items, repeats allowed. @param[out] scores [rows, C].
  void score_items(const Batch& rows, Span2d<const ItemId> items, Span2d<float> scores);

 private:
  void encode(const Batch& rows);
  void compute(const ScoreTile& tile);
  void finish(std::size_t row, std::span<float> scores, const float* norms,
              const float* bias) const;
  void score_row_items(std::size_t row, std::span<const ItemId> items, std::span<float> scores);

  static constexpr std::size_t kKeptTiles = 2;
  const ScoreGrid& grid_;
  std::size_t rows_ = 0;
  AlignedFloats queries_;           ///< [rows, query_size]
  std::vector<float> query_norms_;  ///< [rows], negative Euclidean: length squared.
  AlignedFloats buffers_;           ///< [kKeptTiles + 1, rows, tile_items], or all scores.
  std::size_t buffer_size_ = 0;
  std::vector<int> kept_;              ///< Which tiles lie in the first buffers.
  AlignedFloats gathered_;             ///< [C, width of a table]
  std::vector<float> gathered_norms_;  ///< [C]
  std::vector<float> gathered_bias_;   ///< [C]
};

}  // namespace recloom
