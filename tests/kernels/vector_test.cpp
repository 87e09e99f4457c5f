#include "kernels/vector.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernels/isa.hpp"
#include "kernels_support.hpp"
#include "recloom/core/error.hpp"

namespace recloom::kernels {
namespace {

using testing::for_sizes_and_offsets;
using testing::Guarded;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Every level that the machine has.
class Levels : public ::testing::TestWithParam<Isa> {
 protected:
  ScopedIsa level_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Isa, Levels, ::testing::ValuesIn(supported_isas()),
                         [](const auto& level) { return std::string(isa_name(level.param)); });

/// One rounding of a result near `value`, and of an addend near `part` that may be rounded before.
double rounding(double value, double part = 0) {
  return 6e-8 * (std::abs(value) + std::abs(part)) + 1e-37;
}

TEST_P(Levels, ElementwiseFunctionsEqualALoop) {
  for_sizes_and_offsets([](std::size_t n, std::size_t offset) {
    const Guarded x(n, offset, 1), y(n, offset + 1, 2), z(n, offset + 2, 3);
    const float a = 0.37F;
    Guarded r = y;
    add(n, x.data(), r.data());
    for (std::size_t i = 0; i < n; ++i) ASSERT_FLOAT_EQ(r[i], x[i] + y[i]);
    r = y;
    axpy(n, a, x.data(), r.data());
    for (std::size_t i = 0; i < n; ++i)
      ASSERT_NEAR(r[i], double(a) * x[i] + y[i], rounding(r[i], a * x[i]));
    r = x;
    scale(n, a, r.data());
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(r[i], x[i] * a);
    r = y;
    multiply(n, x.data(), r.data());
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(r[i], x[i] * y[i]);
    r = y;
    relu(n, x.data(), r.data());
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(r[i], x[i] > 0 ? x[i] : 0.0F);
    r = z;
    relu_backward(n, x.data(), y.data(), r.data());
    for (std::size_t i = 0; i < n; ++i) ASSERT_FLOAT_EQ(r[i], x[i] > 0 ? z[i] + y[i] : z[i]);
    ASSERT_TRUE(r.intact());
  });
}

TEST_P(Levels, ReductionsEqualALoop) {
  for_sizes_and_offsets([](std::size_t n, std::size_t offset) {
    const Guarded x(n, offset, 1), y(n, offset + 1, 2);
    double product = 0, square = 0, total = 0, magnitude = 0;
    for (std::size_t i = 0; i < n; ++i) {
      product += double(x[i]) * y[i];
      magnitude += std::abs(double(x[i]) * y[i]);
      square += double(x[i]) * x[i];
      total += x[i];
    }
    // Float sums of n terms, each rounded: n half units of the largest partial sum.
    ASSERT_NEAR(dot(n, x.data(), y.data()), product, 6e-8 * double(n + 1) * magnitude);
    // Sums in double differ in the order of the terms only.
    ASSERT_NEAR(squared_norm(n, x.data()), square, 1e-14 * (square + 1));
    ASSERT_NEAR(sum(n, x.data()), total, 1e-14 * double(n + 1));
  });
}

TEST_P(Levels, AllFiniteFindsABadValueAnywhere) {
  for_sizes_and_offsets([](std::size_t n, std::size_t offset) {
    Guarded x(n, offset, 1);
    ASSERT_TRUE(all_finite(n, x.data()));
    for (std::size_t i = 0; i < n; ++i)
      for (const float bad : {kInfinity, -kInfinity, kNan, -kNan}) {
        const float good = x[i];
        x[i] = bad;
        ASSERT_FALSE(all_finite(n, x.data()));
        x[i] = std::numeric_limits<float>::max();
        ASSERT_TRUE(all_finite(n, x.data()));
        x[i] = good;
      }
  });
}

TEST_P(Levels, ReluKeepsNan) {
  std::vector<float> x(37, 1.0F);
  x[3] = x[36] = kNan;
  relu(x.size(), x.data(), x.data());
  EXPECT_TRUE(std::isnan(x[3]));
  EXPECT_TRUE(std::isnan(x[36]));
}

TEST_P(Levels, RunningMaxKeepsTheFirstOfTheLargest) {
  for_sizes_and_offsets([](std::size_t n, std::size_t offset) {
    const int positions = 6;
    Guarded best(n, offset, 9);
    std::vector<std::int32_t> where(n + 2, -7);
    std::vector<std::vector<float>> steps;
    for (int p = 0; p < positions; ++p) {
      Guarded c(n, offset + 1, 20 + unsigned(p));
      for (std::size_t i = 0; i < n; ++i) c[i] = std::round(c[i] * 2);  // So that ties occur.
      running_max(n, c.data(), p, best.data(), where.data() + 1);
      steps.emplace_back(c.data(), c.data() + n);
    }
    for (std::size_t i = 0; i < n; ++i) {
      int expected = 0;
      for (int p = 1; p < positions; ++p)
        if (steps[p][i] > steps[expected][i]) expected = p;
      ASSERT_EQ(where[i + 1], expected);
      ASSERT_EQ(best[i], steps[expected][i]);
    }
    ASSERT_TRUE(best.intact());
    ASSERT_EQ(where.front(), -7);
    ASSERT_EQ(where.back(), -7);
  });
}

TEST_P(Levels, RunningMaxKeepsNan) {
  std::vector<float> best(9);
  std::vector<std::int32_t> where(9);
  std::vector<float> c(9, 1.0F);
  running_max(9, c.data(), 0, best.data(), where.data());
  c[2] = c[8] = kNan;
  running_max(9, c.data(), 1, best.data(), where.data());
  running_max(9, std::vector<float>(9, 5.0F).data(), 2, best.data(), where.data());
  EXPECT_TRUE(std::isnan(best[2]));
  EXPECT_TRUE(std::isnan(best[8]));
  EXPECT_EQ(where[2], 1);
  EXPECT_EQ(best[3], 5.0F);
}

/// Compare f with `reference` on values between low and high, for all sizes.
void check_function(void (*f)(std::size_t, const float*, float*), double (*reference)(double),
                    double low, double high, double relative, double absolute) {
  for_sizes_and_offsets([&](std::size_t n, std::size_t offset) {
    Guarded x(n, offset, unsigned(n));
    for (std::size_t i = 0; i < n; ++i) x[i] = float(low + (high - low) * (x[i] + 1) / 2);
    Guarded y(n, offset + 1, 5);
    f(n, x.data(), y.data());
    for (std::size_t i = 0; i < n; ++i) {
      const double expected = reference(x[i]);
      ASSERT_NEAR(y[i], expected, relative * std::abs(expected) + absolute) << x[i];
    }
    ASSERT_TRUE(y.intact());
  });
}

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

// Three units in the last place (2^-24 each way) of float32; ln near 1 and tanh near 0 lose no
// more.
TEST_P(Levels, ExpLogSigmoidTanhAreAccurate) {
  constexpr double kRelative = 3e-7;
  check_function(exp, std::exp, -87.3, 88.7, kRelative, 0);
  check_function(exp, std::exp, -1, 1, kRelative, 0);
  check_function(log, std::log, 1e-30, 10, kRelative, 1e-7);
  check_function(log, std::log, 1, 1e30, kRelative, 1e-7);
  check_function(sigmoid, sigmoid_of, -87, 87, kRelative, 0);
  check_function(sigmoid, sigmoid_of, -3, 3, kRelative, 0);
  check_function(tanh, std::tanh, -10, 10, kRelative, 0);
  check_function(tanh, std::tanh, -1e-3, 1e-3, kRelative, 0);
}

TEST_P(Levels, ExpLogSigmoidTanhKnowTheirLimits) {
  const std::vector<float> x{0, -0.0F, kInfinity, -kInfinity, kNan, 1e30F, -1e30F, -100, 89, -1};
  const std::size_t n = x.size();
  std::vector<float> y(n);
  exp(n, x.data(), y.data());
  for (const std::size_t zero : {3, 6, 7}) EXPECT_EQ(y[zero], 0);
  for (const std::size_t infinite : {2, 5, 8}) EXPECT_EQ(y[infinite], kInfinity);
  EXPECT_EQ(y[0], 1);
  EXPECT_TRUE(std::isnan(y[4]));
  log(n, x.data(), y.data());
  EXPECT_EQ(y[0], -kInfinity);
  EXPECT_EQ(y[1], -kInfinity);
  EXPECT_EQ(y[2], kInfinity);
  for (const std::size_t nan : {3, 4, 6, 9}) EXPECT_TRUE(std::isnan(y[nan])) << nan;
  sigmoid(n, x.data(), y.data());
  EXPECT_EQ(y[0], 0.5F);
  for (const std::size_t one : {2, 5}) EXPECT_EQ(y[one], 1);
  for (const std::size_t zero : {3, 6, 7}) EXPECT_EQ(y[zero], 0);
  EXPECT_TRUE(std::isnan(y[4]));
  tanh(n, x.data(), y.data());
  EXPECT_EQ(y[0], 0);
  for (const std::size_t one : {2, 5}) EXPECT_EQ(y[one], 1);
  for (const std::size_t minus : {3, 6}) EXPECT_EQ(y[minus], -1);
  EXPECT_TRUE(std::isnan(y[4]));
}

/// Softmax cross-entropy in double.
double reference_cross_entropy(const std::vector<double>& x, std::size_t target,
                               std::vector<double>& gradient) {
  const double top = *std::max_element(x.begin(), x.end());
  double total = 0;
  for (const double v : x) total += std::exp(v - top);
  gradient.clear();
  for (std::size_t i = 0; i < x.size(); ++i)
    gradient.push_back(std::exp(x[i] - top) / total - (i == target ? 1 : 0));
  return std::log(total) + top - x[target];
}

void check_cross_entropy(std::size_t n, std::size_t offset, float spread) {
  Guarded logits(n, offset, unsigned(n) + 77);
  for (std::size_t i = 0; i < n; ++i) logits[i] *= spread;
  const std::size_t target = n * 2 / 3;
  std::vector<double> gradient;
  const double loss = reference_cross_entropy({logits.data(), logits.data() + n}, target, gradient);
  const float weight = 0.25F;
  const float got = cross_entropy_row(n, target, weight, logits.data());
  // Differences of logits round to 2^-24 of `spread`, exp adds 3e-7, the float sums about as much.
  const double relative = 1e-6 + 1.2e-7 * spread;
  ASSERT_NEAR(got, loss, relative * (1 + std::abs(loss)));
  for (std::size_t i = 0; i < n; ++i)
    ASSERT_NEAR(logits[i], weight * gradient[i], relative * weight * std::abs(gradient[i]) + 1e-30)
        << i << " of " << n;
  ASSERT_TRUE(logits.intact());
}

TEST_P(Levels, CrossEntropyEqualsDoublePrecision) {
  for_sizes_and_offsets([](std::size_t n, std::size_t offset) {
    if (n > 0) check_cross_entropy(n, offset, 4.0F);
  });
  for (const std::size_t n : {1023u, 1024u, 1025u, 3417u, 50001u}) {
    check_cross_entropy(n, 1, 1.0F);
    check_cross_entropy(n, 3, 30.0F);
  }
}

TEST_P(Levels, CrossEntropyOfLargeAndMaskedLogits) {
  std::vector<float> x(21, 1e4F);
  x[5] = -1e4F;
  x[6] = -kInfinity;
  EXPECT_NEAR(cross_entropy_row(x.size(), 0, 1, x.data()), std::log(19.0), 1e-6);
  EXPECT_EQ(x[5], 0);
  EXPECT_EQ(x[6], 0);
  EXPECT_NEAR(x[1], 1 / 19.0, 1e-7);
  EXPECT_NEAR(x[0], 1 / 19.0 - 1, 1e-7);
}

TEST_P(Levels, CrossEntropyShowsNanAndInfinity) {
  for (const float bad : {kNan, kInfinity})
    for (const std::size_t at : {0u, 7u, 30u}) {
      std::vector<float> x(31, 0.5F);
      x[at] = bad;
      EXPECT_TRUE(std::isnan(cross_entropy_row(x.size(), 2, 1, x.data())));
    }
}

TEST_P(Levels, RowFunctionsEqualALoop) {
  for_sizes_and_offsets([](std::size_t columns, std::size_t offset) {
    const std::size_t rows = 5;
    const Guarded before(columns, offset, 1), x(rows * columns, offset, 2);
    Guarded sums = before;
    column_sums(rows, columns, x.data(), sums.data());
    for (std::size_t c = 0; c < columns; ++c) {
      float expected = before[c];
      for (std::size_t r = 0; r < rows; ++r) expected += x[r * columns + c];
      ASSERT_EQ(sums[c], expected) << "rows in order";
    }
    ASSERT_TRUE(sums.intact());
    const std::vector<std::int32_t> ids{4, 0, 4, 2};
    Guarded out(ids.size() * columns, offset, 3);
    gather_rows(ids.size(), columns, x.data(), ids.data(), out.data());
    for (std::size_t i = 0; i < ids.size() * columns; ++i)
      ASSERT_EQ(out[i], x[std::size_t(ids[i / columns]) * columns + i % columns]);
    ASSERT_TRUE(out.intact());
  });
}

TEST_P(Levels, RowsOfATableAreScoredInPlace) {
  for_sizes_and_offsets([](std::size_t columns, std::size_t offset) {
    constexpr std::size_t kTableRows = 7, kCount = 23;
    if (columns == 0) return;
    const Guarded table(kTableRows * columns, offset, 1), x(columns, offset + 1, 2),
        factors(kCount, 0, 3);
    std::vector<std::int32_t> ids(kCount);
    for (std::size_t i = 0; i < kCount; ++i) ids[i] = static_cast<std::int32_t>(i * 5 % kTableRows);
    const auto row = [&](std::size_t i) {
      return table.data() + static_cast<std::size_t>(ids[i]) * columns;
    };
    for (std::size_t count = 0; count <= kCount; ++count) {
      Guarded scores(count, offset, 4), sums(columns, offset + 2, 5);
      const Guarded before = sums;
      dot_rows(count, columns, x.data(), table.data(), ids.data(), scores.data());
      axpy_rows(count, columns, factors.data(), table.data(), ids.data(), sums.data());
      for (std::size_t i = 0; i < count; ++i) {
        float alone = 0;  // what stands beside a row does not change its bits
        dot_rows(1, columns, x.data(), table.data(), &ids[i], &alone);
        ASSERT_EQ(scores[i], alone);
        double product = 0, magnitude = 0;
        for (std::size_t c = 0; c < columns; ++c) {
          product += double(x[c]) * row(i)[c];
          magnitude += std::abs(double(x[c]) * row(i)[c]);
        }
        ASSERT_NEAR(scores[i], product, 6e-8 * double(columns + 1) * magnitude);
      }
      for (std::size_t c = 0; c < columns; ++c) {
        double sum = before[c], magnitude = std::abs(sum);
        for (std::size_t i = 0; i < count; ++i) {
          sum += double(factors[i]) * row(i)[c];
          magnitude += std::abs(double(factors[i]) * row(i)[c]);
        }
        ASSERT_NEAR(sums[c], sum, 6e-8 * double(count + 1) * magnitude);
      }
      ASSERT_TRUE(scores.intact() && sums.intact());
    }
  });
}

TEST(Isa, NamesAreCheckedAndNeverAboveTheMachine) {
  const Isa best = supported_isas().back();
  EXPECT_EQ(parse_isa(nullptr), best);
  EXPECT_EQ(parse_isa(""), best);
  EXPECT_EQ(parse_isa("scalar"), Isa::scalar);
  EXPECT_EQ(parse_isa("avx512"), best);
  try {
    parse_isa("avx22");
    FAIL();
  } catch (const ConfigError& e) {
    EXPECT_STREQ(e.what(),
                 "environment variable RECLOOM_ISA is 'avx22', must be scalar, sse4, avx2 or avx512"
                 ", did you mean 'avx2'?");
  }
}

TEST(Isa, LowestLevelIsScalar) { EXPECT_EQ(supported_isas().front(), Isa::scalar); }

}  // namespace
}  // namespace recloom::kernels
