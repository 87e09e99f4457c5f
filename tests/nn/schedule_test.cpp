#include "nn/optim/schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace recloom::nn {
namespace {

TEST(Schedule, ConstantStaysAfterTheWarmUp) {
  const ScheduleOptions options{.learning_rate = 0.8, .warmup_steps = 4};
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 0), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 1), 0.4);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 3), 0.8);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 4), 0.8);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 1000000), 0.8);
  EXPECT_DOUBLE_EQ(learning_rate_at({.learning_rate = 0.5}, 0), 0.5);
}

// LinearLR(start_factor=1, end_factor=0.2, total_iters=4) of lr 1: 1, 0.8, 0.6, 0.4, 0.2, 0.2.
TEST(Schedule, LinearIsLinearLR) {
  const ScheduleOptions options{
      .kind = Schedule::linear, .learning_rate = 1, .total_steps = 4, .final_share = 0.2};
  const double expected[] = {1, 0.8, 0.6, 0.4, 0.2, 0.2};
  for (int step = 0; step < 6; ++step)
    EXPECT_NEAR(learning_rate_at(options, step), expected[step], 1e-15) << step;
}

// CosineAnnealingLR(T_max=4, eta_min=0.1) of lr 0.5: 0.1 + 0.2 (1 + cos(pi t / 4)).
TEST(Schedule, CosineIsCosineAnnealingLR) {
  const ScheduleOptions options{
      .kind = Schedule::cosine, .learning_rate = 0.5, .total_steps = 4, .final_share = 0.2};
  const double expected[] = {0.5, 0.3 + 0.2 * std::sqrt(0.5), 0.3, 0.3 - 0.2 * std::sqrt(0.5), 0.1,
                             0.1};
  for (int step = 0; step < 6; ++step)
    EXPECT_NEAR(learning_rate_at(options, step), expected[step], 1e-15) << step;
}

TEST(Schedule, DecayStartsAfterTheWarmUp) {
  const ScheduleOptions options{
      .kind = Schedule::linear, .learning_rate = 1, .warmup_steps = 2, .total_steps = 6};
  const double expected[] = {0.5, 1, 1, 0.75, 0.5, 0.25, 0, 0};
  for (int step = 0; step < 8; ++step)
    EXPECT_NEAR(learning_rate_at(options, step), expected[step], 1e-15) << step;
}

TEST(Schedule, RunShorterThanItsWarmUpEndsAtTheEnd) {
  const ScheduleOptions options{.kind = Schedule::cosine,
                                .learning_rate = 1,
                                .warmup_steps = 3,
                                .total_steps = 2,
                                .final_share = 0.5};
  EXPECT_NEAR(learning_rate_at(options, 2), 1, 1e-15);
  EXPECT_NEAR(learning_rate_at(options, 3), 0.5, 1e-15);
}

}  // namespace
}  // namespace recloom::nn
