#include "data/stable_sort.hpp"

#include <gtest/gtest.h>

#include <random>
#include <utility>
#include <vector>

#include "recloom/core/error.hpp"

namespace recloom {
namespace {

using Pair = std::pair<unsigned, unsigned>;

bool by_key(const Pair& a, const Pair& b) { return a.first < b.first; }

TEST(StableSort, EqualsTheStandardLibrarysForAnyNumberOfThreads) {
  std::mt19937 random(1);
  // One piece, a whole number of pieces, and others.
  for (const std::size_t size : {0U, 1U, 1000U, 1U << 19, (1U << 19) + 1, 3U << 19, 1700001U}) {
    std::vector<Pair> values;
    for (unsigned at = 0; at < size; ++at) values.emplace_back(random() % 5000, at);
    std::vector<Pair> expected = values;
    std::stable_sort(expected.begin(), expected.end(), by_key);
    for (const int threads : {1, 3}) {
      std::vector<Pair> sorted = values;
      sort_stably(sorted, by_key, RunContext(1, threads));
      ASSERT_EQ(sorted, expected) << size << " values, " << threads << " threads";
    }
  }
}

TEST(StableSort, EndsWhenAskedTo) {
  RunContext run(1, 2);
  run.request_stop();
  std::vector<Pair> values((1U << 19) + 1);
  EXPECT_THROW(sort_stably(values, by_key, run), Interrupted);
}

}  // namespace
}  // namespace recloom
