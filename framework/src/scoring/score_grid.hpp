#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "core/aligned.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/core/types.hpp"
#include "recloom/data/batch.hpp"
#include "recloom/model/sequential_recommender.hpp"
#include "scoring/checked_head.hpp"

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

/// The items of one tile, as products take them.
struct ItemTile {
  ItemId first = 0;
  int width = 0;         ///< Items.
  int padded_width = 0;  ///< Vectors: behind those of the items stand zeros.
};

/// How a model's scores are computed in pieces: row blocks times item tiles. A query x item model
/// has tiles of kTileItems; any other model scores all items of a few rows at once, its one tile.
/// Immutable but for encode(), shared by threads; the model must outlive it and must not change
/// meanwhile.
class RECLOOM_API ScoreGrid {
 public:
  /// @param kept_per_row items with scores that a row keeps beside its tiles: its list, or its
  /// candidates. Long ones make blocks of fewer rows.
  /// @throws ModelError as CheckedHead.
  ScoreGrid(const SequentialRecommender& model, const RunContext& run,
            std::size_t kept_per_row = 0);

  const SequentialRecommender& model() const noexcept { return model_; }
  /// Return the item head; null for a model of another form.
  const CheckedHead* head() const noexcept { return head_ ? &*head_ : nullptr; }
  int n_items() const noexcept { return n_items_; }
  int tile_items() const noexcept { return tile_items_; }
  int n_tiles() const noexcept { return n_items_ / tile_items_ + (n_items_ % tile_items_ > 0); }
  ItemTile tile(int index) const noexcept;
  /// Return the vectors of a tile in one of the head's tables, [padded_width, width of the table].
  const float* vectors(std::size_t table, const ItemTile& tile) const noexcept;
  /// Return CheckedHead::norm() of all items, [n_items]; null if scores need none.
  const float* norms() const noexcept { return norms_.empty() ? nullptr : norms_.data(); }

  /// Return how many rows a block should have: a function of the sizes alone, so that results do
  /// not depend on the number of threads.
  std::size_t block_rows(std::size_t n_rows) const noexcept;
  /// Return how many rows to encode() at a time: whole blocks, so many that what they have in
  /// common is worth sharing, so few that their queries stay small.
  std::size_t encode_rows(std::size_t n_rows) const noexcept;
  /// Compute the queries of rows on all threads, for the blocks of these rows that come next. Not
  /// thread safe. Does nothing for a model of another form.
  void encode(const Batch& rows, const RunContext& run);
  /// Return the queries of a block if they were computed ahead, else none.
  std::optional<Span2d<const float>> encoded(const Batch& rows) const noexcept;

 private:
  void compute_norms(const RunContext& run);
  void pad_last_tile();

  const SequentialRecommender& model_;
  std::optional<CheckedHead> head_;
  int n_items_;
  int tile_items_;
  std::size_t kept_per_row_;
  /// Per table: the vectors of the last tile with zeros behind, if its width is not a multiple of
  /// kPaddedItems.
  std::vector<AlignedFloats> last_vectors_;
  std::vector<float> norms_;
  const Batch::Entry* encoded_rows_ = nullptr;  ///< First row that encode() was given.
  std::size_t n_encoded_ = 0;
  AlignedFloats queries_;  ///< [n_encoded, query_size]
};

/// Call body(block) for every block of rows, on all threads, with the rows' queries computed ahead.
RECLOOM_API void for_each_encoded(ScoreGrid& grid, const Batch& rows, const RunContext& run,
                                  const std::function<void(std::size_t block)>& body);

}  // namespace recloom
