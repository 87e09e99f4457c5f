#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/isa.hpp"
#include "kernels/vector.hpp"
#include "kernels_support.hpp"

namespace recloom::kernels {
namespace {

using testing::for_sizes_and_offsets;
using testing::Guarded;

/// Philox4x32-10 as the paper defines it.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> c, std::uint64_t key) {
  auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = 0xD2511F53ULL * c[0], p1 = 0xCD9E8D57ULL * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(p0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

bool kept(std::uint64_t key, std::uint64_t row, std::size_t element, double p) {
  const auto words =
      philox({static_cast<std::uint32_t>(element / 4), static_cast<std::uint32_t>(row),
              static_cast<std::uint32_t>(row >> 32), 0},
             key);
  return words[element % 4] >= p * 4294967296.0;
}

class DropoutLevels : public ::testing::TestWithParam<Isa> {
 protected:
  ScopedIsa level_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Isa, DropoutLevels, ::testing::ValuesIn(supported_isas()),
                         [](const auto& level) { return std::string(isa_name(level.param)); });

// Known answers published with the generator (Random123, kat_vectors).
TEST(Dropout, ReferencePhiloxGivesPublishedNumbers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, 0),
            (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, 0xffffffffffffffff),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST_P(DropoutLevels, MaskIsPhilox) {
  for (const double p : {0.0, 1e-9, 0.4, 0.5, 0.9})
    for (const std::uint64_t key : {std::uint64_t{0}, std::uint64_t{0xFEDCBA9876543210}})
      for (const std::uint64_t row : {std::uint64_t{0}, std::uint64_t{1} << 40 | 77})
        for_sizes_and_offsets([&](std::size_t n, std::size_t offset) {
          const Guarded x(n, offset, 1), before(n, offset + 1, 2);
          Guarded y = before, sum = before;
          dropout(key, row, p, n, x.data(), y.data(), false);
          dropout(key, row, p, n, x.data(), sum.data(), true);
          const float factor = static_cast<float>(1 / (1 - p));
          for (std::size_t i = 0; i < n; ++i) {
            const float expected = kept(key, row, i, p) ? x[i] * factor : 0.0F;
            ASSERT_EQ(y[i], expected) << i;
            ASSERT_FLOAT_EQ(sum[i], before[i] + expected) << i;
          }
          ASSERT_TRUE(y.intact() && sum.intact());
        });
}

TEST_P(DropoutLevels, BeginsAnywhereInARow) {
  const std::size_t n = 203;
  const std::vector<float> ones(n, 1.0F);
  std::vector<float> whole(n), part(n);
  dropout(7, 8, 0.4, n, ones.data(), whole.data(), false);
  for (const std::size_t first : {1, 2, 3, 4, 31, 64, 130})
    for (const std::size_t count : {1, 5, 33, 70}) {
      dropout(7, 8, 0.4, count, ones.data(), part.data(), false, first);
      for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(part[i], whole[first + i]) << first;
    }
}

TEST_P(DropoutLevels, LongRowsUseEveryCounter) {
  const std::size_t n = 5003;
  const std::vector<float> ones(n, 1.0F);
  std::vector<float> y(n);
  dropout(7, 8, 0.4, n, ones.data(), y.data(), false);
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; ++i) {
    ASSERT_EQ(y[i] != 0, kept(7, 8, i, 0.4)) << i;
    count += y[i] != 0;
  }
  EXPECT_NEAR(static_cast<double>(count), 0.6 * n, 4 * std::sqrt(0.24 * n));
}

TEST_P(DropoutLevels, KeepsNothingAtOneAndAllAtZero) {
  std::vector<float> x(19, 3.0F), y(19, 1.0F);
  dropout(1, 2, 1.0, x.size(), x.data(), y.data(), true);
  EXPECT_EQ(y, std::vector<float>(19, 1.0F));
  dropout(1, 2, 1.0, x.size(), x.data(), y.data(), false);
  EXPECT_EQ(y, std::vector<float>(19, 0.0F));
  dropout(1, 2, 0.0, x.size(), x.data(), x.data(), false);
  EXPECT_EQ(x, std::vector<float>(19, 3.0F));
}

}  // namespace
}  // namespace recloom::kernels
