#include "core/untouched.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

namespace recloom {
namespace {

/// Pages of a buffer that are in memory.
std::size_t resident_pages(UntouchedFloats& floats) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((floats.size() * sizeof(float) + page - 1) / page);
  EXPECT_EQ(mincore(floats.data(), floats.size() * sizeof(float), pages.data()), 0);
  return static_cast<std::size_t>(std::ranges::count_if(pages, [](auto p) { return p & 1; }));
}

TEST(UntouchedFloats, AreAlignedZeros) {
  UntouchedFloats floats(1000);
  EXPECT_EQ(floats.size(), 1000U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(floats.data()) % 64, 0U);
  EXPECT_TRUE(std::all_of(floats.data(), floats.data() + 1000, [](float x) { return x == 0; }));
}

TEST(UntouchedFloats, TakeMemoryWhereTheyAreWritten) {
  UntouchedFloats floats(std::size_t{1} << 22);
  EXPECT_EQ(resident_pages(floats), 0U);
  floats.data()[1 << 21] = 1;
  EXPECT_GE(resident_pages(floats), 1U);
  EXPECT_LE(resident_pages(floats), 1024U) << "a huge page at most, not all of 16 MiB";
}

TEST(UntouchedFloats, MoveWithTheirMemory) {
  UntouchedFloats floats(1000), other(10);
  const float* const memory = floats.data();
  floats.data()[7] = 7;
  other = std::move(floats);
  const UntouchedFloats last(std::move(other));
  EXPECT_EQ(last.data(), memory);
  EXPECT_EQ(last.size(), 1000U);
  EXPECT_EQ(last.data()[7], 7);
  EXPECT_EQ(other.size(), 0U);
}

TEST(UntouchedFloats, AreRefusedWhereTheirBytesCannotBeCounted) {
  EXPECT_THROW(UntouchedFloats((std::size_t{1} << 62) + 1), std::bad_alloc);
}

TEST(UntouchedFloats, MayBeNone) {
  const UntouchedFloats none(0);
  EXPECT_EQ(none.size(), 0U);
}

}  // namespace
}  // namespace recloom
