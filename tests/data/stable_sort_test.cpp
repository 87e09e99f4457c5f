#include "data/stable_sort.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include "recloom/core/error.hpp"

namespace recloom {
namespace {

using Pair = std::pair<unsigned, unsigned>;

bool by_key(const Pair& a, const Pair& b) { return a.first < b.first; }

void expect_sorted(std::size_t size, std::size_t piece, std::mt19937& random) {
  std::vector<Pair> values;
  for (unsigned at = 0; at < size; ++at) values.emplace_back(random() % (1 + size / 4), at);
  std::vector<Pair> expected = values;
  std::stable_sort(expected.begin(), expected.end(), by_key);
  for (const int threads : {1, 3}) {
    std::vector<Pair> sorted = values;
    sort_stably(sorted, by_key, RunContext(1, threads), piece);
    ASSERT_EQ(sorted, expected) << size << " values, pieces of " << piece << ", " << threads
                                << " threads";
  }
}

TEST(StableSort, EqualsTheStandardLibrarysForAnyNumberOfThreads) {
  std::mt19937 random(1);
  for (const std::size_t piece : {1U, 2U, 7U, 64U})
    for (std::size_t size = 0; size <= 8 * piece + 1; size += 1 + piece / 8)
      expect_sorted(size, piece, random);
}

TEST(StableSort, IsCutInPiecesByItself) {
  std::mt19937 random(1);
  std::vector<Pair> values;
  for (unsigned at = 0; at < (1U << 19) + 1; ++at) values.emplace_back(random() % 5000, at);
  sort_stably(values, by_key, RunContext(1, 2));
  // Equal keys keep their order, which the second number is.
  EXPECT_TRUE(std::is_sorted(values.begin(), values.end()));
}

TEST(StableSort, EndsWhenAskedTo) {
  RunContext run(1, 2);
  run.request_stop();
  std::vector<Pair> values((1U << 19) + 1);
  EXPECT_THROW(sort_stably(values, by_key, run), Interrupted);
}

}  // namespace
}  // namespace recloom
