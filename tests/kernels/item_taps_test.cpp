#include "kernels/item_taps.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <tuple>
#include <vector>

#include "recloom/core/random.hpp"

namespace recloom::kernels {
namespace {

/// (length, height, filters)
class ItemTaps
    : public ::testing::TestWithParam<std::tuple<std::size_t, std::size_t, std::size_t>> {
 protected:
  void SetUp() override {
    const std::size_t length = std::get<0>(GetParam());
    height = std::get<1>(GetParam());
    filters = std::get<2>(GetParam());
    n_windows = length - height + 1;
    lanes = (filters + kTapLanes - 1) / kTapLanes * kTapLanes;
    Rng rng(length * 100 + height);
    for (std::size_t p = 0; p < length; ++p)
      slots.push_back(static_cast<std::int32_t>(rng.below(kItems)));
    taps.resize(kItems * height * lanes);
    for (float& value : taps) value = static_cast<float>(rng.normal());
  }
  /// Where tap j of filter f is for the item at position p: one table of kMostTaps follows another.
  std::size_t place(std::size_t p, std::size_t j, std::size_t f) const {
    const std::size_t first = j / kMostTaps * kMostTaps;
    return first * lanes * kItems +
           (static_cast<std::size_t>(slots[p]) * table(first).taps + j - first) * lanes + f;
  }
  TapsShape table(std::size_t first) const { return {std::min(kMostTaps, height - first), lanes}; }
  /// The definition, in double.
  double window(std::size_t t, std::size_t f) const {
    double sum = 0;
    for (std::size_t j = 0; j < height; ++j) sum += taps[place(t + j, j, f)];
    return sum;
  }
  std::vector<float> windows() const {
    std::vector<float> sums(n_windows * lanes, -7.0F);  // what was there is no part of it
    for (std::size_t first = 0; first < height; first += kMostTaps)
      add_taps(table(first), n_windows, slots.data() + first, taps.data() + first * lanes * kItems,
               first > 0, sums.data());
    return sums;
  }
  void find_largest() {
    const std::vector<float> sums = windows();
    best.assign(lanes, -1.0F);
    where.assign(lanes, -1.0F);
    largest_windows(lanes, n_windows, sums.data(), best.data(), where.data());
  }

  static constexpr int kItems = 7;
  std::size_t height = 0, filters = 0, lanes = 0, n_windows = 0;
  std::vector<std::int32_t> slots;
  std::vector<float> taps, best, where;
};

TEST_P(ItemTaps, WindowsAreSumsOfTaps) {
  const std::vector<float> sums = windows();
  // A window is a sum of at most 50 numbers near 1: rounding stays below 50 * 50 * 2^-24.
  for (std::size_t t = 0; t < n_windows; ++t)
    for (std::size_t f = 0; f < filters; ++f) EXPECT_NEAR(sums[t * lanes + f], window(t, f), 1e-4);
}

TEST_P(ItemTaps, LargestWindowIsFound) {
  find_largest();
  for (std::size_t f = 0; f < filters; ++f) {
    double largest = window(0, f);
    for (std::size_t t = 1; t < n_windows; ++t) largest = std::max(largest, window(t, f));
    EXPECT_NEAR(best[f], largest, 1e-4);
    EXPECT_NEAR(window(static_cast<std::size_t>(where[f]), f), largest, 1e-4);
  }
}

TEST_P(ItemTaps, ScatterAddsToTheTapsOfTheListedWindows) {
  const std::vector<std::size_t> at{n_windows - 1, 0};
  std::vector<float> diff(at.size() * lanes), diff_taps(taps.size()), expected(taps.size());
  for (std::size_t e = 0; e < diff.size(); ++e) diff[e] = static_cast<float>(e) - 3.0F;
  for (std::size_t i = 0; i < at.size(); ++i)
    for (std::size_t j = 0; j < height; ++j)
      for (std::size_t f = 0; f < lanes; ++f)
        expected[place(at[i] + j, j, f)] += diff[i * lanes + f];
  for (std::size_t first = 0; first < height; first += kMostTaps)
    scatter_taps(table(first), at.size(), at.data(), diff.data(), slots.data() + first,
                 diff_taps.data() + first * lanes * kItems);
  EXPECT_EQ(diff_taps, expected);
}

TEST_P(ItemTaps, FirstOfEqualWindowsWins) {
  std::fill(taps.begin(), taps.end(), 0.5F);
  find_largest();
  for (std::size_t f = 0; f < filters; ++f) {
    EXPECT_EQ(best[f], 0.5F * static_cast<float>(height));
    EXPECT_EQ(where[f], 0.0F);
  }
}

TEST_P(ItemTaps, NotANumberIsNotLost) {
  taps[place(slots.size() - 1, height - 1, 0)] = std::numeric_limits<float>::quiet_NaN();
  find_largest();
  EXPECT_TRUE(std::isnan(best[0]));
}

INSTANTIATE_TEST_SUITE_P(Shapes, ItemTaps,
                         ::testing::Values(std::tuple{1, 1, 1}, std::tuple{5, 1, 3},
                                           std::tuple{5, 5, 8}, std::tuple{7, 3, 5},
                                           std::tuple{10, 4, 8}, std::tuple{50, 20, 16},
                                           std::tuple{50, 50, 9}));

}  // namespace
}  // namespace recloom::kernels
