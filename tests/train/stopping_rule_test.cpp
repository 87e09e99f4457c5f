#include "train/stopping_rule.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace recloom {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(StoppingRule, TakesOnlyAStrictlyBetterExactValue) {
  const StoppingRule rule{.metric = "ndcg@10", .higher_is_better = true, .rounded = false};
  EXPECT_TRUE(rule.improves(0.5 + 1e-15, 0.5));
  EXPECT_FALSE(rule.improves(0.5, 0.5));
  EXPECT_FALSE(rule.improves(0.4999, 0.5));
  EXPECT_FALSE(rule.improves(kNaN, 0.5));
}

TEST(StoppingRule, KnowsMetricsOfWhichLessIsBetter) {
  const StoppingRule exact{.metric = "ndcg@10", .higher_is_better = false, .rounded = false};
  EXPECT_TRUE(exact.improves(0.4, 0.5));
  EXPECT_FALSE(exact.improves(0.5, 0.5));
  const StoppingRule rounded{.metric = "ndcg@10", .higher_is_better = false, .rounded = true};
  EXPECT_TRUE(rounded.improves(0.50004, 0.5));
  EXPECT_FALSE(rounded.improves(0.50006, 0.5));
}

// numpy.round(0.12345, 4) = 0.1234, numpy.round(0.12355, 4) = 0.1236 (1234.5 and 1235.5 after
// scaling, halves to even).
TEST(StoppingRule, RoundsToFourDecimalsAndCountsTies) {
  const StoppingRule rule{.metric = "ndcg@10", .higher_is_better = true, .rounded = true};
  EXPECT_TRUE(rule.improves(0.20001, 0.20004));
  EXPECT_TRUE(rule.improves(0.19996, 0.2));
  EXPECT_FALSE(rule.improves(0.19994, 0.2));
  EXPECT_TRUE(rule.improves(0.1234, 0.12345));
  EXPECT_FALSE(rule.improves(0.1235, 0.12355));
  EXPECT_FALSE(rule.improves(kNaN, 0.2));
}

TEST(StoppingRule, IsExhaustedWhenFailuresExceedPatience) {
  const StoppingRule rule{.metric = "ndcg@10", .patience = 10};
  EXPECT_FALSE(rule.exhausted(10));
  EXPECT_TRUE(rule.exhausted(11));
  EXPECT_TRUE((StoppingRule{.metric = "ndcg@10", .patience = 0}.exhausted(1)));
}

}  // namespace
}  // namespace recloom
