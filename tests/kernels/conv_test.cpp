#include "kernels/conv.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <thread>
#include <vector>

#include "kernels_support.hpp"
#include "recloom/core/error.hpp"

namespace recloom::kernels {
namespace {

using testing::Guarded;

/// Operands of a convolution and what the equations give for them, in double.
struct Case {
  Conv1d shape;
  Guarded src, weights, bias, d_dst;
  std::vector<double> dst, d_src, d_weights, d_bias;

  explicit Case(const Conv1d& s)
      : shape(s),
        src(size(s.rows, s.length, s.channels), 1, 1),
        weights(size(s.filters, s.height, s.channels), 2, 2),
        bias(size(s.filters, 1, 1), 3, 3),
        d_dst(size(s.rows, s.positions(), s.filters), 1, 4),
        dst(size(s.rows, s.positions(), s.filters)),
        d_src(size(s.rows, s.length, s.channels)),
        d_weights(size(s.filters, s.height, s.channels)),
        d_bias(size(s.filters, 1, 1)) {
    std::size_t o = 0;
    for (int r = 0; r < s.rows; ++r)
      for (int t = 0; t < s.positions(); ++t)
        for (int f = 0; f < s.filters; ++f, ++o) add_output(r, t, f, o);
  }
  static std::size_t size(int a, int b, int c) {
    return static_cast<std::size_t>(a) * static_cast<std::size_t>(b) * static_cast<std::size_t>(c);
  }

 private:
  void add_output(int r, int t, int f, std::size_t o) {
    dst[o] = bias[static_cast<std::size_t>(f)];
    d_bias[static_cast<std::size_t>(f)] += d_dst[o];
    const int window = shape.height * shape.channels;
    const std::size_t start = size(r * shape.length + t, shape.channels, 1);
    for (int i = 0; i < window; ++i) {
      const std::size_t s = start + static_cast<std::size_t>(i),
                        w = size(f, window, 1) + static_cast<std::size_t>(i);
      dst[o] += static_cast<double>(src[s]) * weights[w];
      d_src[s] += static_cast<double>(d_dst[o]) * weights[w];
      d_weights[w] += static_cast<double>(d_dst[o]) * src[s];
    }
  }
};

// Sums of up to 600 products below 1 in float32.
constexpr double kTolerance = 3e-5;

void expect_near(const Guarded& got, const std::vector<double>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i)
    ASSERT_NEAR(got[i], expected[i], kTolerance) << "element " << i;
  EXPECT_TRUE(got.intact());
}

Guarded filled(std::size_t n) {
  Guarded values(n, 1, 9);
  for (std::size_t i = 0; i < n; ++i) values[i] = std::numeric_limits<float>::quiet_NaN();
  return values;
}

const Conv1d kShapes[] = {
    {.rows = 5, .length = 7, .channels = 10, .filters = 8, .height = 3},
    {.rows = 1, .length = 1, .channels = 1, .filters = 1, .height = 1},
    {.rows = 3, .length = 5, .channels = 1, .filters = 16, .height = 5},
    {.rows = 4, .length = 10, .channels = 64, .filters = 8, .height = 1},
    {.rows = 33, .length = 10, .channels = 50, .filters = 16, .height = 10},
    {.rows = 6, .length = 6, .channels = 17, .filters = 5, .height = 4},
};

TEST(Conv1d, EqualsItsEquations) {
  for (const Conv1d& shape : kShapes) {
    SCOPED_TRACE(::testing::Message() << "channels " << shape.channels << " filters "
                                      << shape.filters << " height " << shape.height);
    const Case c(shape);
    Guarded dst = filled(c.dst.size()), d_src = filled(c.d_src.size());
    Guarded d_weights = filled(c.d_weights.size()), d_bias = filled(c.d_bias.size());
    conv1d(shape, c.src.data(), c.weights.data(), c.bias.data(), dst.data());
    conv1d_backward_data(shape, c.d_dst.data(), c.weights.data(), d_src.data());
    conv1d_backward_weights(shape, c.src.data(), c.d_dst.data(), d_weights.data(), d_bias.data());
    expect_near(dst, c.dst);
    expect_near(d_src, c.d_src);
    expect_near(d_weights, c.d_weights);
    expect_near(d_bias, c.d_bias);
  }
}

TEST(Conv1d, DoesWithoutABias) {
  const Case c(kShapes[0]);
  Guarded dst = filled(c.dst.size()), d_weights = filled(c.d_weights.size());
  conv1d(c.shape, c.src.data(), c.weights.data(), nullptr, dst.data());
  conv1d_backward_weights(c.shape, c.src.data(), c.d_dst.data(), d_weights.data(), nullptr);
  for (std::size_t i = 0; i < c.dst.size(); ++i)
    ASSERT_NEAR(dst[i], c.dst[i] - c.bias[i % 8], kTolerance);
  expect_near(d_weights, c.d_weights);
}

TEST(Conv1d, NoRowsGiveNoGradient) {
  const Conv1d shape{.rows = 0, .length = 4, .channels = 2, .filters = 3, .height = 2};
  std::vector<float> d_weights(12, 5.0F), d_bias(3, 5.0F);
  conv1d(shape, nullptr, d_weights.data(), nullptr, nullptr);
  conv1d_backward_weights(shape, nullptr, nullptr, d_weights.data(), d_bias.data());
  EXPECT_EQ(d_weights, std::vector<float>(12));
  EXPECT_EQ(d_bias, std::vector<float>(3));
}

TEST(Conv1d, RefusesAFilterLongerThanTheHistory) {
  const Conv1d shape{.rows = 1, .length = 3, .channels = 2, .filters = 1, .height = 4};
  float x = 0;
  EXPECT_THROW(conv1d(shape, &x, &x, nullptr, &x), InternalError);
}

// With a scratchpad that belongs to the primitive, threads would overwrite each other's.
TEST(Conv1d, GivesTheSameBitsFromAnyThread) {
  const Case c({.rows = 64, .length = 10, .channels = 64, .filters = 16, .height = 4});
  const auto run = [&c] {
    std::vector<float> all(c.dst.size() + c.d_src.size() + c.d_weights.size() + 16);
    float* dst = all.data();
    float* d_src = dst + c.dst.size();
    float* d_weights = d_src + c.d_src.size();
    conv1d(c.shape, c.src.data(), c.weights.data(), c.bias.data(), dst);
    conv1d_backward_data(c.shape, c.d_dst.data(), c.weights.data(), d_src);
    conv1d_backward_weights(c.shape, c.src.data(), c.d_dst.data(), d_weights,
                            d_weights + c.d_weights.size());
    return all;
  };
  const std::vector<float> serial = run();
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (int& count : wrong)
    threads.emplace_back([&] {
      for (int repeat = 0; repeat < 20; ++repeat) count += run() != serial;
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

}  // namespace
}  // namespace recloom::kernels
