#include "kernels/packed_gemm.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "kernels/isa.hpp"
#include "kernels_support.hpp"

namespace recloom::kernels {
namespace {

using testing::Guarded;

class PackedGemmLevels : public ::testing::TestWithParam<Isa> {
 protected:
  ScopedIsa level_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Isa, PackedGemmLevels, ::testing::ValuesIn(supported_isas()),
                         [](const auto& level) { return std::string(isa_name(level.param)); });

TEST_P(PackedGemmLevels, TakesATransposedA) {
  const int m = 15, n = 19, k = 9;
  const Guarded a(m * k, 1, 1), b(k * n, 2, 2);
  std::vector<float> across(m * k), packed(packed_size(k, n)), expected(m * n), c(m * n);
  for (int row = 0; row < m; ++row)
    for (int p = 0; p < k; ++p)
      across[static_cast<std::size_t>(p * m + row)] = a[static_cast<std::size_t>(row * k + p)];
  pack({.k = k, .n = n, .b = b.data(), .ldb = n}, packed.data());
  PackedGemm g{.m = m, .n = n, .k = k, .a = a.data(), .lda = k, .packed = packed.data()};
  g.c = expected.data(), g.ldc = n;
  gemm(g);
  g.transpose_a = true, g.a = across.data(), g.lda = m, g.c = c.data();
  gemm(g);
  EXPECT_EQ(c, expected);
}

TEST_P(PackedGemmLevels, TakesSomeRowsOfThePackedMatrix) {
  const int m = 7, n = 35, k = 20, first = 6, some = 9;
  const Guarded a(m * k, 1, 1), b(k * n, 2, 2);
  std::vector<float> packed(packed_size(k, n)), part(packed_size(some, n)), expected(m * n),
      c(m * n);
  pack({.k = k, .n = n, .b = b.data(), .ldb = n}, packed.data());
  pack({.k = some, .n = n, .b = b.data() + first * n, .ldb = n}, part.data());
  PackedGemm g{.m = m, .n = n, .k = some, .a = a.data(), .lda = k, .packed = part.data()};
  g.c = expected.data(), g.ldc = n;
  gemm(g);
  g.packed = packed.data(), g.packed_k = k, g.first_k = first, g.c = c.data();
  gemm(g);
  EXPECT_EQ(c, expected);
}

TEST_P(PackedGemmLevels, EqualsALoop) {
  for (const int n : {1, 3, 16, 17, 33, 64})
    for (const int m : {0, 1, 5, 6, 13})
      for (const int k : {1, 7, 40})
        for (const bool transposed : {false, true})
          for (const bool with_bias : {false, true}) {
            const int lda = k + 2, ldb = (transposed ? k : n) + 1, ldc = n + 3;
            const auto size = [](int rows, int stride) {
              return static_cast<std::size_t>(rows * stride);
            };
            const Guarded a(size(m, lda), 1, 1), b(size(transposed ? n : k, ldb), 2, 2),
                bias(static_cast<std::size_t>(n), 1, 3);
            Guarded c(size(m, ldc), 3, 4), packed(packed_size(k, n), 0, 5);
            const Guarded before = c;
            pack({.transposed = transposed, .k = k, .n = n, .b = b.data(), .ldb = ldb},
                 packed.data());
            gemm({.m = m,
                  .n = n,
                  .k = k,
                  .a = a.data(),
                  .lda = lda,
                  .packed = packed.data(),
                  .bias = with_bias ? bias.data() : nullptr,
                  .c = c.data(),
                  .ldc = ldc});
            ASSERT_TRUE(c.intact() && packed.intact());
            const auto at = [](int row, int stride, int column) {
              return static_cast<std::size_t>(row * stride + column);
            };
            for (int row = 0; row < m; ++row)
              for (int column = 0; column < ldc; ++column) {
                const std::size_t e = at(row, ldc, column);
                if (column >= n) {
                  ASSERT_EQ(c[e], before[e]) << "between rows";
                  continue;
                }
                double sum = with_bias ? bias[static_cast<std::size_t>(column)] : before[e];
                for (int p = 0; p < k; ++p)
                  sum += static_cast<double>(a[at(row, lda, p)]) *
                         (transposed ? b[at(column, ldb, p)] : b[at(p, ldb, column)]);
                ASSERT_NEAR(c[e], sum, 1e-6 * (k + 1)) << m << " " << n << " " << k;
              }
          }
}

}  // namespace
}  // namespace recloom::kernels
