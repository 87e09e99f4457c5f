#include "recloom/core/random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include "core/philox.hpp"

namespace recloom {
namespace {

// The vectors that Random123 publishes with the algorithm (kat_vectors, philox4x32 10).
TEST(Philox, GivesPublishedAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, 0),
            (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, ~std::uint64_t{0}),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, TakesCounterAsTwoNumbers) {
  EXPECT_EQ(philox4x32(0x85a308d3243f6a88, 0x0370734413198a2e, 0x299f31d0a4093822),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Rng, DrawsPhiloxBlocksInOrder) {
  Rng rng(0);
  EXPECT_EQ(rng.bits(), 0xe169c58d6627e8d5U);
  const PhiloxBlock second = philox4x32({1, 0, 0, 0}, 0);
  EXPECT_EQ(rng.bits(), second[0] | std::uint64_t{second[1]} << 32);
}

TEST(Rng, ForksAreFunctionsOfKeyPurposeAndIndex) {
  Rng used(7);
  used.bits();
  EXPECT_EQ(used.fork("dropout", 3).key(), Rng(7).fork("dropout", 3).key());
  std::set<std::uint64_t> keys;
  for (std::uint64_t seed = 0; seed < 8; ++seed)
    for (const char* purpose : {"", "a", "b", "ab", "dropout"})
      for (std::uint64_t index = 0; index < 100; ++index)
        keys.insert(Rng(seed).fork(purpose, index).key());
  EXPECT_EQ(keys.size(), 8U * 5U * 100U);
}

struct Moments {
  double mean = 0, variance = 0, third = 0, fourth = 0;
};
template <class Draw>
Moments moments(int count, Draw draw) {
  std::vector<double> values(static_cast<std::size_t>(count));
  Moments m;
  for (double& v : values) m.mean += (v = draw()) / count;
  for (const double v : values) {
    const double d = v - m.mean;
    m.variance += d * d / count;
    m.third += d * d * d / count;
    m.fourth += d * d * d * d / count;
  }
  return m;
}

// Bounds are five standard errors of each moment over 200,000 draws.
TEST(Rng, UniformHasTheMomentsOfItsDistribution) {
  Rng rng(1);
  const Moments m = moments(200000, [&] { return rng.uniform(); });
  EXPECT_NEAR(m.mean, 0.5, 5 * std::sqrt(1.0 / 12 / 200000));
  EXPECT_NEAR(m.variance, 1.0 / 12, 5 * std::sqrt((1.0 / 80 - 1.0 / 144) / 200000));
}

TEST(Rng, UniformStaysBelowOne) {
  Rng rng(2);
  for (int draw = 0; draw < 100000; ++draw) {
    const double value = rng.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
  }
}

TEST(Rng, NormalHasTheMomentsOfItsDistribution) {
  Rng rng(3);
  const Moments m = moments(200000, [&] { return rng.normal(); });
  EXPECT_NEAR(m.mean, 0, 5 * std::sqrt(1.0 / 200000));
  EXPECT_NEAR(m.variance, 1, 5 * std::sqrt(2.0 / 200000));
  EXPECT_NEAR(m.third, 0, 5 * std::sqrt(15.0 / 200000));
  EXPECT_NEAR(m.fourth, 3, 5 * std::sqrt(96.0 / 200000));
}

TEST(Rng, NormalDrawsAreIndependentOfTheirNeighbours) {
  Rng rng(4);
  double product = 0, previous = rng.normal();
  for (int draw = 0; draw < 200000; ++draw) {
    const double value = rng.normal();
    product += value * previous / 200000;
    previous = value;
  }
  EXPECT_NEAR(product, 0, 5 / std::sqrt(200000.0));
}

// Chi-squared with 6 degrees of freedom exceeds 30 with probability 4e-5.
TEST(Rng, BelowIsEven) {
  Rng rng(5);
  std::vector<int> counts(7);
  for (int draw = 0; draw < 70000; ++draw) ++counts[static_cast<std::size_t>(rng.below(7))];
  double chi_squared = 0;
  for (const int count : counts) chi_squared += (count - 10000.0) * (count - 10000.0) / 10000.0;
  EXPECT_LT(chi_squared, 30);
}

TEST(Rng, BelowKeepsToExtremeBounds) {
  Rng rng(6);
  EXPECT_EQ(rng.below(1), 0);
  constexpr std::int64_t kHuge = (std::int64_t{3} << 61) - 1;  // Most of the range must be refused.
  double mean = 0;
  for (int draw = 0; draw < 1000; ++draw) {
    const std::int64_t value = rng.below(kHuge);
    ASSERT_GE(value, 0);
    ASSERT_LT(value, kHuge);
    mean += static_cast<double>(value) / static_cast<double>(kHuge) / 1000;
  }
  EXPECT_NEAR(mean, 0.5, 5 * std::sqrt(1.0 / 12 / 1000));
}

}  // namespace
}  // namespace recloom
