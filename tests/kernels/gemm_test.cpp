#include "kernels/gemm.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>

#include <cmath>
#include <csignal>
#include <cstddef>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "kernels/dnnl_gemm.hpp"
#include "recloom/core/error.hpp"

namespace recloom::kernels {
namespace {

std::vector<float> random_floats(std::size_t n, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(generator() % 2001) / 1000.0F - 1.0F;
  return values;
}

/// Operands of a product, with room between the rows.
struct Case {
  Gemm g;
  std::vector<float> a, b, c;

  Case(int m, int n, int k, bool transpose_a, bool transpose_b, bool accumulate, int gap)
      : a(random_floats(std::size_t(transpose_a ? k : m) * ((transpose_a ? m : k) + gap), 1)),
        b(random_floats(std::size_t(transpose_b ? n : k) * ((transpose_b ? k : n) + gap), 2)),
        c(random_floats(std::size_t(m) * (n + gap), 3)) {
    g = {.transpose_a = transpose_a,
         .transpose_b = transpose_b,
         .m = m,
         .n = n,
         .k = k,
         .a = a.data(),
         .lda = (transpose_a ? m : k) + gap,
         .b = b.data(),
         .ldb = (transpose_b ? k : n) + gap,
         .c = c.data(),
         .ldc = n + gap,
         .accumulate = accumulate};
  }

  double element(int row, int column) const {
    double sum = g.accumulate ? c[std::size_t(row) * g.ldc + column] : 0.0;
    for (int i = 0; i < g.k; ++i) {
      const double left =
          g.transpose_a ? a[std::size_t(i) * g.lda + row] : a[std::size_t(row) * g.lda + i];
      const double right =
          g.transpose_b ? b[std::size_t(column) * g.ldb + i] : b[std::size_t(i) * g.ldb + column];
      sum += left * right;
    }
    return sum;
  }

  /// Run the product on `path` and compare every float of C with the scalar loop in double. A sum
  /// of k products below 1 in float32 may be off by k rounding errors of partial sums below k.
  void check(GemmPath path) const {
    Case run = *this;
    run.g.a = run.a.data();
    run.g.b = run.b.data();
    run.g.c = run.c.data();
    gemm(run.g, path);
    const double tolerance = 6e-8 * (g.k + 1) * std::sqrt(g.k + 1.0) + 1e-7;
    for (int row = 0; row < g.m; ++row)
      for (int column = 0; column < g.ldc; ++column) {
        const float got = run.c[std::size_t(row) * g.ldc + column];
        if (column < g.n)
          ASSERT_NEAR(got, element(row, column), tolerance) << row << ',' << column;
        else
          ASSERT_EQ(got, c[std::size_t(row) * g.ldc + column]) << "wrote between rows";
      }
  }
};

class GemmPaths : public ::testing::TestWithParam<GemmPath> {};
INSTANTIATE_TEST_SUITE_P(Paths, GemmPaths, ::testing::Values(GemmPath::matmul, GemmPath::sgemm),
                         [](const auto& path) {
                           return std::string(path.param == GemmPath::matmul ? "matmul" : "sgemm");
                         });

TEST_P(GemmPaths, EqualsAScalarLoop) {
  const int sizes[][3] = {{1, 1, 1},   {1, 64, 64},   {64, 1, 33}, {5, 7, 3},    {16, 16, 50},
                          {33, 65, 9}, {50, 50, 280}, {3, 3, 64},  {128, 17, 64}};
  for (const auto& s : sizes)
    for (int flags = 0; flags < 8; ++flags)
      for (const int gap : {0, 5}) {
        SCOPED_TRACE(::testing::Message()
                     << s[0] << 'x' << s[1] << 'x' << s[2] << " flags " << flags << " gap " << gap);
        Case(s[0], s[1], s[2], flags & 1, flags & 2, flags & 4, gap).check(GetParam());
      }
}

TEST_P(GemmPaths, ReadsWindowsOutOfLongerRows) {
  // Windows of 3 items of a history of 10, item vectors of 7 floats: rows of A lie 70 floats apart.
  const int length = 10, d = 7, height = 3, rows = 20, filters = 8;
  const std::vector<float> histories = random_floats(rows * length * d, 4);
  const std::vector<float> weights = random_floats(filters * height * d, 5);
  std::vector<float> out(rows * filters);
  for (int start = 0; start + height <= length; ++start) {
    gemm({.transpose_b = true,
          .m = rows,
          .n = filters,
          .k = height * d,
          .a = histories.data() + start * d,
          .lda = length * d,
          .b = weights.data(),
          .ldb = height * d,
          .c = out.data(),
          .ldc = filters},
         GetParam());
    for (int row = 0; row < rows; ++row)
      for (int filter = 0; filter < filters; ++filter) {
        double sum = 0;
        for (int i = 0; i < height * d; ++i)
          sum +=
              double(histories[(row * length + start) * d + i]) * weights[filter * height * d + i];
        ASSERT_NEAR(out[row * filters + filter], sum, 3e-6);
      }
  }
}

TEST_P(GemmPaths, LeavesNothingBehindForEmptySizes) {
  std::vector<float> c(12, 5.0F);
  gemm({.m = 0, .n = 4, .k = 2, .c = c.data(), .ldc = 4}, GetParam());
  gemm({.m = 3, .n = 0, .k = 2, .c = c.data(), .ldc = 4}, GetParam());
  gemm({.m = 3, .n = 4, .k = 0, .c = c.data(), .ldc = 4, .accumulate = true}, GetParam());
  EXPECT_EQ(c, std::vector<float>(12, 5.0F));
  gemm({.m = 3, .n = 3, .k = 0, .c = c.data(), .ldc = 4}, GetParam());
  EXPECT_EQ(c, (std::vector<float>{0, 0, 0, 5, 0, 0, 0, 5, 0, 0, 0, 5}));
}

TEST_P(GemmPaths, OverwritesGarbage) {
  Case run(4, 5, 6, false, true, false, 0);
  run.c.assign(run.c.size(), std::numeric_limits<float>::quiet_NaN());
  run.check(GetParam());
}

TEST_P(GemmPaths, RefusesRowsThatOverlap) {
  std::vector<float> x(100);
  const Gemm g{.m = 4,
               .n = 2,
               .k = 8,
               .a = x.data(),
               .lda = 4,
               .b = x.data(),
               .ldb = 2,
               .c = x.data(),
               .ldc = 2};
  EXPECT_THROW(gemm(g, GetParam()), InternalError);
}

TEST_P(GemmPaths, GivesTheSameBitsFromAnyThread) {
  const Case shape(256, 64, 336, false, true, true, 0);
  const auto run = [&] {
    std::vector<float> c = shape.c;
    Gemm g = shape.g;
    g.c = c.data();
    gemm(g, GetParam());
    return c;
  };
  const std::vector<float> serial = run();
  std::vector<std::vector<float>> wrong(4);
  std::vector<std::thread> threads;
  for (auto& slot : wrong)
    threads.emplace_back([&] {
      for (int repeat = 0; repeat < 50; ++repeat)
        if (std::vector<float> c = run(); c != serial) slot = std::move(c);
    });
  for (std::thread& t : threads) t.join();
  for (const auto& slot : wrong) EXPECT_TRUE(slot.empty());
}

volatile std::sig_atomic_t signals_seen = 0;
extern "C" void use_the_stack(int) {
  volatile char scratch[8192];
  for (std::size_t i = 0; i < sizeof scratch; ++i) scratch[i] = 0x5a;
  signals_seen = signals_seen + 1;
}

// oneDNN's generated code keeps data where a signal handler's frame goes.
TEST(Gemm, IsNotDisturbedBySignalHandlers) {
  Case c(128, 128, 3180, false, false, false, 0);
  gemm(c.g);
  const std::vector<float> expected = c.c;
  struct sigaction action {
  }, before{};
  action.sa_handler = use_the_stack;
  action.sa_flags = SA_RESTART;
  ASSERT_EQ(sigaction(SIGALRM, &action, &before), 0);
  const itimerval often{{0, 100}, {0, 100}}, never{};
  signals_seen = 0;
  setitimer(ITIMER_REAL, &often, nullptr);
  bool same = true;
  while (signals_seen < 300) {
    gemm(c.g);
    same &= c.c == expected;
  }
  setitimer(ITIMER_REAL, &never, nullptr);
  sigaction(SIGALRM, &before, nullptr);
  EXPECT_TRUE(same);
}

TEST(Gemm, KeepsABoundedNumberOfPrimitives) {
  std::vector<float> x(8000, 0.5F);
  for (int n = 1; n <= int(kGemmCacheCapacity) + 20; ++n)
    gemm({.m = 1,
          .n = n,
          .k = 1,
          .a = x.data(),
          .lda = 1,
          .b = x.data(),
          .ldb = n,
          .c = x.data() + 4000,
          .ldc = n},
         GemmPath::matmul);
  EXPECT_EQ(gemm_cache_size(), kGemmCacheCapacity);
}

}  // namespace
}  // namespace recloom::kernels
