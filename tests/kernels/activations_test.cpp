#include "kernels/activations.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "kernels/isa.hpp"
#include "kernels/layer_norm.hpp"
#include "kernels_support.hpp"

namespace recloom::kernels {
namespace {

using testing::for_sizes_and_offsets;
using testing::Guarded;

class ActivationLevels : public ::testing::TestWithParam<Isa> {
 protected:
  ScopedIsa level_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Isa, ActivationLevels, ::testing::ValuesIn(supported_isas()),
                         [](const auto& level) { return std::string(isa_name(level.param)); });

double phi(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }
double bell(double x) { return std::exp(-0.5 * x * x) / std::sqrt(2 * std::acos(-1.0)); }
double logistic(double x) { return 1 / (1 + std::exp(-x)); }

/// 40001 numbers from -range to range, 0 among them.
std::vector<float> grid(double range) {
  std::vector<float> x;
  for (int i = -20000; i <= 20000; ++i) x.push_back(static_cast<float>(range * i / 20000));
  return x;
}

TEST_P(ActivationLevels, GeluIsAccurateInTheTailToo) {
  for (const double range : {1e-3, 1.0, 6.0, 13.0}) {
    const std::vector<float> x = grid(range), ones(x.size(), 1.0F);
    std::vector<float> y(x.size()), dx(x.size());
    gelu(x.size(), x.data(), y.data());
    gelu_backward(x.size(), x.data(), ones.data(), dx.data(), false);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double v = x[i], relative = 7e-7 + 6e-8 * v * v;
      ASSERT_NEAR(y[i], v * phi(v), relative * std::abs(v * phi(v)) + 1e-38) << v;
      // Two terms of unlike signs.
      ASSERT_NEAR(dx[i], phi(v) + v * bell(v), relative * (phi(v) + std::abs(v) * bell(v)) + 1e-37)
          << v;
    }
  }
}

TEST_P(ActivationLevels, SwishIsAccurate) {
  for (const double range : {1e-3, 1.0, 20.0, 80.0}) {
    const std::vector<float> x = grid(range), ones(x.size(), 1.0F);
    std::vector<float> y(x.size()), dx(x.size());
    swish(x.size(), x.data(), y.data());
    swish_backward(x.size(), x.data(), ones.data(), dx.data(), false);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double v = x[i], s = logistic(v);
      ASSERT_NEAR(y[i], v * s, 4e-7 * std::abs(v * s)) << v;
      ASSERT_NEAR(dx[i], s * (1 + v * (1 - s)), 6e-7 * (s + std::abs(v * s))) << v;
    }
  }
}

TEST_P(ActivationLevels, KnowTheirLimits) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> x{0, 30, -30, kInfinity, std::nanf(""), 1e30F, -1e30F};
  for (const auto f : {gelu, swish}) {
    std::vector<float> y(x.size());
    f(x.size(), x.data(), y.data());
    EXPECT_EQ(y[0], 0);
    EXPECT_FLOAT_EQ(y[1], 30);
    EXPECT_NEAR(y[2], 0, 1e-10);
    EXPECT_EQ(y[3], kInfinity);
    EXPECT_TRUE(std::isnan(y[4]));
    EXPECT_EQ(y[5], 1e30F);
    EXPECT_EQ(y[6], 0);
  }
}

TEST_P(ActivationLevels, TouchTheirElementsAlone) {
  for_sizes_and_offsets([](std::size_t n, std::size_t offset) {
    const Guarded x(n, offset, 1), dy(n, offset + 1, 2), before(n, offset + 2, 3);
    const auto check = [&](auto f, auto backward, auto value, auto slope) {
      Guarded y = before, dx = before;
      f(n, x.data(), y.data());
      backward(n, x.data(), dy.data(), dx.data(), true);
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_NEAR(y[i], value(x[i]), 1e-6);
        ASSERT_NEAR(dx[i], before[i] + dy[i] * slope(x[i]), 1e-6);
      }
      backward(n, x.data(), dy.data(), dx.data(), false);
      for (std::size_t i = 0; i < n; ++i) ASSERT_NEAR(dx[i], dy[i] * slope(x[i]), 1e-6);
      ASSERT_TRUE(y.intact() && dx.intact());
    };
    check(
        gelu, gelu_backward, [](double v) { return v * phi(v); },
        [](double v) { return phi(v) + v * bell(v); });
    check(
        swish, swish_backward, [](double v) { return v * logistic(v); },
        [](double v) { return logistic(v) * (1 + v * (1 - logistic(v))); });
  });
}

/// A row's layer norm in double: values, then gradients of x, gain and bias for dy.
struct NaiveNorm {
  NaiveNorm(std::size_t n, const float* x, const float* gain, const float* bias, double epsilon,
            const float* dy)
      : y(n), dx(n), dgain(n), dbias(n) {
    double mean = 0, variance = 0, g_mean = 0, gx_mean = 0;
    for (std::size_t i = 0; i < n; ++i) mean += x[i] / double(n);
    for (std::size_t i = 0; i < n; ++i) variance += (x[i] - mean) * (x[i] - mean) / double(n);
    scale = 1 / std::sqrt(variance + epsilon);
    const auto normal = [&](std::size_t i) { return (x[i] - mean) * scale; };
    for (std::size_t i = 0; i < n; ++i) {
      y[i] = normal(i) * gain[i] + bias[i];
      dgain[i] = dy[i] * normal(i);
      dbias[i] = dy[i];
      g_mean += double(dy[i]) * gain[i] / double(n);
      gx_mean += double(dy[i]) * gain[i] * normal(i) / double(n);
    }
    for (std::size_t i = 0; i < n; ++i)
      dx[i] = scale * (double(dy[i]) * gain[i] - g_mean - normal(i) * gx_mean);
  }
  double scale = 0;
  std::vector<double> y, dx, dgain, dbias;
};

void check_layer_norm(std::size_t n, std::size_t offset, float shift) {
  constexpr std::size_t kRows = 3;
  constexpr double kEpsilon = 1e-5;
  Guarded x(kRows * n, offset, 1);
  for (std::size_t i = 0; i < kRows * n; ++i) x[i] += shift;
  const Guarded gain(n, offset + 1, 2), bias(n, offset + 2, 3), dy(kRows * n, offset, 4);
  Guarded y(kRows * n, offset, 5), moments(2 * kRows, offset, 6), dx(kRows * n, offset, 7),
      dgain(n, offset, 8), dbias(n, offset, 9);
  const Guarded dx_before = dx, dgain_before = dgain, dbias_before = dbias;
  layer_norm(kRows, n, x.data(), gain.data(), bias.data(), kEpsilon, y.data(), moments.data());
  layer_norm_backward(kRows, n, x.data(), gain.data(), moments.data(), dy.data(), dx.data(),
                      dgain.data(), dbias.data(), true);
  std::vector<double> dgain_sum(n), dbias_sum(n);
  for (std::size_t row = 0; row < kRows; ++row) {
    const NaiveNorm naive(n, x.data() + row * n, gain.data(), bias.data(), kEpsilon,
                          dy.data() + row * n);
    // A mean is rounded to float; what that makes of a difference, the scale enlarges.
    const double tolerance = 3e-6 + naive.scale * 1.2e-7 * std::abs(shift);
    ASSERT_NEAR(moments[2 * row + 1], naive.scale, 1e-6 * naive.scale);
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_NEAR(y[row * n + i], naive.y[i], tolerance) << i << " of " << n;
      ASSERT_NEAR(dx[row * n + i] - dx_before[row * n + i], naive.dx[i],
                  tolerance * (1 + naive.scale));
      dgain_sum[i] += naive.dgain[i];
      dbias_sum[i] += naive.dbias[i];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    ASSERT_NEAR(dgain[i] - dgain_before[i], dgain_sum[i], 3e-6 + 1e-6 * std::abs(shift));
    ASSERT_NEAR(dbias[i] - dbias_before[i], dbias_sum[i], 1e-6);
  }
  ASSERT_TRUE(y.intact() && moments.intact() && dx.intact() && dgain.intact() && dbias.intact());
}

TEST_P(ActivationLevels, LayerNormEqualsDoublePrecision) {
  for_sizes_and_offsets([](std::size_t n, std::size_t offset) {
    if (n > 1) check_layer_norm(n, offset, 0);
  });
  for (const float shift : {1.0F, 100.0F})
    for (const std::size_t n : {16u, 64u, 131u, 1024u}) check_layer_norm(n, 1, shift);
}

TEST_P(ActivationLevels, LayerNormLeavesOutWhatIsNotWanted) {
  const Guarded x(20, 0, 1), gain(10, 0, 2), dy(20, 0, 3);
  Guarded y(20, 0, 4), moments(4, 0, 5), dx(20, 0, 6);
  const Guarded before = dx;
  layer_norm(2, 10, x.data(), gain.data(), gain.data(), 1e-5, y.data(), moments.data());
  layer_norm_backward(2, 10, x.data(), gain.data(), moments.data(), dy.data(), nullptr, nullptr,
                      nullptr, true);
  layer_norm_backward(2, 10, x.data(), gain.data(), moments.data(), dy.data(), dx.data(), nullptr,
                      nullptr, true);
  EXPECT_NE(dx[3], before[3]);
  const float added = dx[3] - before[3];
  layer_norm_backward(2, 10, x.data(), gain.data(), moments.data(), dy.data(), dx.data(), nullptr,
                      nullptr, false);
  EXPECT_NEAR(dx[3], added, 1e-6);
}

TEST_P(ActivationLevels, LayerNormOfEqualNumbersIsTheBias) {
  const std::vector<float> x(64, 1.1F), gain(64, 2.0F), bias(64, 0.25F);
  std::vector<float> y(64), moments(2);
  layer_norm(1, 64, x.data(), gain.data(), bias.data(), 1e-12, y.data(), moments.data());
  for (const float v : y) EXPECT_EQ(v, 0.25F);
}

}  // namespace
}  // namespace recloom::kernels
