#include "kernels/conv.hpp"

#include <gtest/gtest.h>

#include <algorithm>
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

std::size_t size(int a, int b, int c = 1) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b) * static_cast<std::size_t>(c);
}

/// Operands of a convolution and what the equations give for them, in double.
struct Case {
  int rows;
  Conv1d shape;
  Guarded src, weights, d_dst;
  std::vector<double> dst, d_src, d_weights;
  ConvFilters filters;

  Case(int n, const Conv1d& s)
      : rows(n),
        shape(s),
        src(size(n, s.length, s.channels), 1, 1),
        weights(size(s.filters, s.height, s.channels), 2, 2),
        d_dst(size(n, s.positions(), s.filters), 1, 4),
        dst(size(n, s.positions(), s.filters)),
        d_src(size(n, s.length, s.channels)),
        d_weights(size(s.filters, s.height, s.channels)),
        filters(s, true) {
    std::size_t o = 0;
    for (int r = 0; r < n; ++r)
      for (int t = 0; t < s.positions(); ++t)
        for (int f = 0; f < s.filters; ++f, ++o) add_output(r, t, f, o);
    filters.assign(weights.data());
  }

  /// All windows, in the order of dst.
  Guarded run_forward() const {
    Guarded all(dst.size(), 1, 9), at_t(size(rows, shape.filters), 3, 9);
    for (int t = 0; t < shape.positions(); ++t) {
      std::fill_n(at_t.data(), size(rows, shape.filters), std::numeric_limits<float>::quiet_NaN());
      filters.windows(rows, t, src.data(), at_t.data());
      for (int r = 0; r < rows; ++r)
        std::copy_n(at_t.data() + size(r, shape.filters), shape.filters,
                    all.data() + size(r * shape.positions() + t, shape.filters));
    }
    EXPECT_TRUE(at_t.intact());
    return all;
  }

 private:
  void add_output(int r, int t, int f, std::size_t o) {
    const int window = shape.height * shape.channels;
    const std::size_t start = size(r * shape.length + t, shape.channels);
    for (int i = 0; i < window; ++i) {
      const std::size_t s = start + static_cast<std::size_t>(i),
                        w = size(f, window) + static_cast<std::size_t>(i);
      dst[o] += static_cast<double>(src[s]) * weights[w];
      d_src[s] += static_cast<double>(d_dst[o]) * weights[w];
      d_weights[w] += static_cast<double>(d_dst[o]) * src[s];
    }
  }
};

// Sums of up to a few thousand products below 1 in float32.
constexpr double kTolerance = 6e-5;

void expect_near(const Guarded& got, const std::vector<double>& expected, double start = 0) {
  for (std::size_t i = 0; i < expected.size(); ++i)
    ASSERT_NEAR(got[i], expected[i] + start, kTolerance) << "element " << i;
  EXPECT_TRUE(got.intact());
}

Guarded filled(std::size_t n, float value) {
  Guarded values(n, 1, 9);
  std::fill_n(values.data(), n, value);
  return values;
}

struct Size {
  int rows;
  Conv1d shape;
};
// Rows in one block and in several; filters in one piece and in several, of all lengths.
const Size kSizes[] = {
    {5, {.length = 7, .channels = 10, .filters = 8, .height = 3}},
    {1, {.length = 1, .channels = 1, .filters = 1, .height = 1}},
    {3, {.length = 5, .channels = 1, .filters = 16, .height = 5}},
    {4, {.length = 10, .channels = 64, .filters = 8, .height = 1}},
    {75, {.length = 10, .channels = 50, .filters = 16, .height = 10}},
    {6, {.length = 6, .channels = 17, .filters = 5, .height = 4}},
    {9, {.length = 30, .channels = 12, .filters = 4, .height = 17}},
    {2, {.length = 20, .channels = 16, .filters = 17, .height = 20}},
    {330, {.length = 4, .channels = 8, .filters = 4, .height = 2}},
};

TEST(ConvFilters, EqualTheirEquations) {
  for (const Size& s : kSizes) {
    SCOPED_TRACE(::testing::Message()
                 << "rows " << s.rows << " channels " << s.shape.channels << " filters "
                 << s.shape.filters << " height " << s.shape.height);
    const Case c(s.rows, s.shape);
    expect_near(c.run_forward(), c.dst);
    Guarded d_src = filled(c.d_src.size(), 0.5F), d_weights = filled(c.d_weights.size(), -0.5F);
    c.filters.backward(c.rows, c.src.data(), c.d_dst.data(), d_src.data(), d_weights.data());
    expect_near(d_src, c.d_src, 0.5);
    expect_near(d_weights, c.d_weights, -0.5);
  }
}

TEST(ConvFilters, GiveTheGradientThatIsWanted) {
  const Case c(kSizes[0].rows, kSizes[0].shape);
  Guarded d_src = filled(c.d_src.size(), 0), d_weights = filled(c.d_weights.size(), 0);
  c.filters.backward(c.rows, c.src.data(), c.d_dst.data(), d_src.data(), nullptr);
  c.filters.backward(c.rows, c.src.data(), c.d_dst.data(), nullptr, d_weights.data());
  expect_near(d_src, c.d_src);
  expect_near(d_weights, c.d_weights);
}

TEST(ConvFilters, TakeOtherWeights) {
  Case c(kSizes[0].rows, kSizes[0].shape);
  const std::vector<float> zeros(c.d_weights.size());
  c.filters.assign(zeros.data());
  expect_near(c.run_forward(), std::vector<double>(c.dst.size()));
  c.filters.assign(c.weights.data());
  expect_near(c.run_forward(), c.dst);
}

TEST(ConvFilters, NoRowsGiveNothing) {
  ConvFilters filters({.length = 4, .channels = 2, .filters = 3, .height = 2}, true);
  std::vector<float> weights(12, 5.0F);
  filters.assign(weights.data());
  filters.windows(0, 0, nullptr, nullptr);
  filters.backward(0, nullptr, nullptr, nullptr, weights.data());
  EXPECT_EQ(weights, std::vector<float>(12, 5.0F));
}

TEST(ConvFilters, RefuseAFilterLongerThanTheHistory) {
  EXPECT_THROW(ConvFilters({.length = 3, .channels = 2, .filters = 1, .height = 4}, false),
               InternalError);
}

// With a scratchpad that belongs to the primitive, threads would overwrite each other's.
TEST(ConvFilters, GiveTheSameBitsFromAnyThread) {
  for (const int height : {1, 4, 10}) {
    const Case c(64, {.length = 10, .channels = 64, .filters = 16, .height = height});
    const auto run = [&c] {
      std::vector<float> all(c.dst.size() + c.d_src.size() + c.d_weights.size());
      std::copy_n(c.run_forward().data(), c.dst.size(), all.data());
      float* const d_src = all.data() + c.dst.size();
      c.filters.backward(c.rows, c.src.data(), c.d_dst.data(), d_src, d_src + c.d_src.size());
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
}

}  // namespace
}  // namespace recloom::kernels
