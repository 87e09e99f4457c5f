#include "scoring/score_grid.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <limits>

#include "scoring/vector_world.hpp"

namespace recloom {
namespace {

constexpr int kMostItems = std::numeric_limits<int>::max();

/// As many items as there can be.
class Whole : public SequentialRecommender {
 public:
  Whole() : SequentialRecommender({2, kMostItems, 1}) {}
  Traits traits() const override { return {}; }
  void full_sort_predict(const Batch&, Span2d<float>) const override {}
};

/// One number an item, in memory that is reserved but never written.
class OfOneNumber final : public Whole, private Factorised {
 public:
  OfOneNumber()
      : table_(
            mmap(nullptr, kBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {}
  ~OfOneNumber() override {
    if (has_memory()) munmap(table_, kBytes);
  }
  OfOneNumber(const OfOneNumber&) = delete;
  OfOneNumber& operator=(const OfOneNumber&) = delete;
  bool has_memory() const { return table_ != MAP_FAILED; }
  const Factorised* factorised() const noexcept override { return this; }

 private:
  static constexpr std::size_t kBytes = std::size_t{kMostItems} * sizeof(float);
  int query_size() const noexcept override { return 1; }
  void encode(const Batch&, Span2d<float>) const override {}
  ItemHeadView item_head_view() const override {
    ItemHeadView head;
    head.tables[0] = {static_cast<const float*>(table_), 1};
    head.n_tables = 1;
    return head;
  }
  void* table_;
};

TEST(ScoreGrid, CountsTheTilesOfTheMostItems) {
  const RunContext run(1, 1);
  const ScoreGrid grid(Whole(), run);
  EXPECT_EQ(grid.n_tiles(), 1);
  EXPECT_EQ(grid.block_rows(100), 4U);
  const OfOneNumber model;
  if (!model.has_memory()) GTEST_SKIP() << "8 GiB of address space are not to be had";
  const ScoreGrid tiles(model, run);
  EXPECT_EQ(tiles.tile_items(), kTileItems);
  EXPECT_EQ(tiles.n_tiles(), 8388608);
}

TEST(ScoreGrid, MakesBlocksOfFewerRowsForLongLists) {
  const testing::VectorWorld world;
  const testing::VectorModel model = world.model(Similarity::dot);
  RunContext run(1, 1);
  EXPECT_EQ(ScoreGrid(model, run).block_rows(100000), kMostBlockRows);
  EXPECT_EQ(ScoreGrid(model, run, 1000).block_rows(100000), kMostBlockRows);
  for (const std::size_t kept : {std::size_t{1} << 20, std::size_t{1} << 31}) {
    const std::size_t rows = ScoreGrid(model, run, kept).block_rows(100000);
    EXPECT_GE(rows, 1U);
    EXPECT_TRUE(rows == 1 || rows * kept <= std::size_t{1} << 22) << rows;
  }
}

}  // namespace
}  // namespace recloom
