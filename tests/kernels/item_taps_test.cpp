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
    const auto [length, height, n] = GetParam();
    filters = n;
    shape = {length, height, (n + kTapLanes - 1) / kTapLanes * kTapLanes};
    Rng rng(length * 100 + height);
    for (std::size_t p = 0; p < length; ++p)
      slots.push_back(static_cast<std::int32_t>(rng.below(kItems)));
    taps.resize(kItems * height * shape.lanes);
    for (float& value : taps) value = static_cast<float>(rng.normal());
  }
  float tap(std::size_t p, std::size_t j, std::size_t f) const {
    return taps[(static_cast<std::size_t>(slots[p]) * shape.height + j) * shape.lanes + f];
  }
  /// The definition, in double.
  double window(std::size_t t, std::size_t f) const {
    double sum = 0;
    for (std::size_t j = 0; j < shape.height; ++j) sum += tap(t + j, j, f);
    return sum;
  }

  static constexpr int kItems = 7;
  TapsShape shape{};
  std::size_t filters = 0;
  std::vector<std::int32_t> slots;
  std::vector<float> taps;
};

TEST_P(ItemTaps, ForwardIsTheMaximumOfWindowSums) {
  std::vector<float> windows(shape.length * shape.lanes), best(shape.lanes), where(shape.lanes);
  taps_forward(shape, slots.data(), taps.data(), windows.data(), best.data(), where.data());
  for (std::size_t f = 0; f < filters; ++f) {
    double largest = window(0, f);
    for (std::size_t t = 1; t + shape.height <= shape.length; ++t)
      largest = std::max(largest, window(t, f));
    // A window is a sum of at most 50 numbers near 1: rounding stays below 50 * 50 * 2^-24.
    EXPECT_NEAR(best[f], largest, 1e-4);
    EXPECT_NEAR(window(static_cast<std::size_t>(where[f]), f), largest, 1e-4);
  }
}

TEST_P(ItemTaps, BackwardAddsToTheTapsOfTheWinningWindow) {
  std::vector<float> windows(shape.length * shape.lanes), best(shape.lanes), where(shape.lanes);
  taps_forward(shape, slots.data(), taps.data(), windows.data(), best.data(), where.data());
  std::vector<float> diff(filters), diff_taps(taps.size()), expected(taps.size());
  for (std::size_t f = 0; f < filters; ++f) diff[f] = static_cast<float>(f) - 1.0F;  // one is 0
  for (std::size_t f = 0; f < filters; ++f)
    for (std::size_t j = 0; j < shape.height; ++j) {
      const auto slot = static_cast<std::size_t>(slots[static_cast<std::size_t>(where[f]) + j]);
      expected[(slot * shape.height + j) * shape.lanes + f] += diff[f];
    }
  taps_backward(shape, filters, slots.data(), diff.data(), where.data(), diff_taps.data());
  EXPECT_EQ(diff_taps, expected);
}

TEST_P(ItemTaps, FirstOfEqualWindowsWins) {
  std::fill(taps.begin(), taps.end(), 0.5F);
  std::vector<float> windows(shape.length * shape.lanes), best(shape.lanes),
      where(shape.lanes, -1.0F);
  taps_forward(shape, slots.data(), taps.data(), windows.data(), best.data(), where.data());
  for (std::size_t f = 0; f < filters; ++f) {
    EXPECT_EQ(best[f], 0.5F * static_cast<float>(shape.height));
    EXPECT_EQ(where[f], 0.0F);
  }
}

TEST_P(ItemTaps, NotANumberIsNotLost) {
  taps[static_cast<std::size_t>(slots[shape.length - 1]) * shape.height * shape.lanes +
       (shape.height - 1) * shape.lanes] = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> windows(shape.length * shape.lanes), best(shape.lanes), where(shape.lanes);
  taps_forward(shape, slots.data(), taps.data(), windows.data(), best.data(), where.data());
  EXPECT_TRUE(std::isnan(best[0]));
}

INSTANTIATE_TEST_SUITE_P(Shapes, ItemTaps,
                         ::testing::Values(std::tuple{1, 1, 1}, std::tuple{5, 1, 3},
                                           std::tuple{5, 5, 8}, std::tuple{7, 3, 5},
                                           std::tuple{10, 4, 8}, std::tuple{50, 20, 16},
                                           std::tuple{50, 50, 9}));

}  // namespace
}  // namespace recloom::kernels
