// Sizes and places beyond 2^31 and 2^32, in memory that is reserved but never touched.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/gemm.hpp"
#include "kernels/item_mix.hpp"
#include "kernels/item_taps.hpp"
#include "kernels/packed_gemm.hpp"
#include "recloom/core/error.hpp"

namespace recloom::kernels {
namespace {

constexpr std::size_t kFar = (std::size_t{1} << 32) + 3;

/// Slots whose pages take no memory until something is written.
class FarSlots {
 public:
  FarSlots() : slots_(nullptr) {
    void* const address = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (address != MAP_FAILED) slots_ = static_cast<std::int32_t*>(address);
  }
  ~FarSlots() {
    if (slots_ != nullptr) munmap(slots_, kBytes);
  }
  FarSlots(const FarSlots&) = delete;
  FarSlots& operator=(const FarSlots&) = delete;
  std::int32_t* data() const { return slots_; }

 private:
  static constexpr std::size_t kBytes = (kFar + 1024) * sizeof(std::int32_t);
  std::int32_t* slots_;
};

TEST(Sizes, OfAProductAreNotCutTo32Bits) {
  const float x = 0;
  // Refused before anything is read: rows of A would overlap.
  try {
    gemm({.m = (std::int64_t{1} << 32) + 4,
          .n = 2,
          .k = 8,
          .a = &x,
          .lda = 4,
          .b = &x,
          .ldb = 2,
          .c = nullptr,
          .ldc = 2});
    FAIL() << "was taken";
  } catch (const InternalError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("m=4294967300"));
  }
}

TEST(Sizes, OfAPackedMatrixAreNotCutTo32Bits) {
  EXPECT_EQ(packed_size(3, std::int64_t{1} << 32), std::size_t{3} << 32);
  EXPECT_EQ(packed_size(std::int64_t{1} << 32, 64), std::size_t{64} << 32);
}

TEST(Sizes, RowsOfItemsMayBeginFarBehind) {
  const FarSlots slots;
  if (slots.data() == nullptr) GTEST_SKIP() << "17 GiB of address space are not to be had";
  slots.data()[kFar] = 1;
  slots.data()[kFar + 1] = 2;
  const std::vector<float> vectors{100, 10, 1}, weight{2, 3};
  const std::size_t begin = kFar;
  const MixRows rows{.rows = 1,
                     .slots = slots.data(),
                     .row_slots = &begin,
                     .length = 2,
                     .filters = 1,
                     .columns = 1,
                     .vectors = vectors.data(),
                     .weight = weight.data()};
  const float bias = 0.5F;
  float y = 0;
  mix_forward(rows, &bias, &y);
  EXPECT_EQ(y, 2 * 10 + 3 * 1 + 0.5F);
}

TEST(Sizes, WindowsMayLieFarBehind) {
  const FarSlots slots;
  if (slots.data() == nullptr) GTEST_SKIP() << "17 GiB of address space are not to be had";
  slots.data()[kFar] = 1;
  const std::size_t at = kFar;
  const std::vector<float> diff(kTapLanes, 4);
  std::vector<float> taps(2 * kTapLanes);
  scatter_taps({.taps = 1, .lanes = kTapLanes}, 1, &at, diff.data(), slots.data(), taps.data());
  EXPECT_EQ(taps[0], 0);
  EXPECT_EQ(taps[kTapLanes], 4);
}

}  // namespace
}  // namespace recloom::kernels
