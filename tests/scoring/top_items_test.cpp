#include "scoring/top_items.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "recloom/core/random.hpp"

namespace recloom {
namespace {

TEST(TopItems, EqualASortHoweverScoresArrive) {
  constexpr std::size_t kItems = 5000;
  Rng rng(4);
  for (const int n_values : {3, 200, 1 << 24})
    for (const int k : {1, 10, 700, 6000})
      for (const std::size_t piece : {std::size_t{37}, std::size_t{256}, kItems}) {
        std::vector<float> scores(kItems);
        for (float& score : scores) score = static_cast<float>(rng.below(n_values)) - 2;
        std::vector<std::size_t> order(kItems);
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::ranges::stable_sort(order, [&](auto a, auto b) { return scores[a] > scores[b]; });
        TopItems top(k, 2);
        top.start(2);
        for (std::size_t first = 0; first < kItems; first += piece)
          ASSERT_TRUE(top.offer(1,
                                std::span(scores).subspan(first, std::min(piece, kItems - first)),
                                static_cast<ItemId>(first)));
        const auto best = top.best(1);
        ASSERT_EQ(best.size(), std::min(static_cast<std::size_t>(k), kItems));
        for (std::size_t place = 0; place < best.size(); ++place) {
          ASSERT_EQ(static_cast<std::size_t>(best[place].item), order[place]);
          ASSERT_EQ(best[place].score, scores[order[place]]);
        }
        EXPECT_TRUE(top.best(0).empty());
      }
}

TEST(TopItems, LeaveOutWhatIsMaskedAndReportNan) {
  TopItems top(3, 1);
  top.start(1);
  EXPECT_TRUE(top.offer(0, std::vector<float>{-HUGE_VALF, 1, -HUGE_VALF}, 0));
  ASSERT_EQ(top.best(0).size(), 1U);
  EXPECT_EQ(top.best(0)[0].item, 1);
  EXPECT_FALSE(top.offer(0, std::vector<float>{2, std::numeric_limits<float>::quiet_NaN()}, 3));
}

}  // namespace
}  // namespace recloom
