#include "core/scratch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <thread>

namespace recloom {
namespace {

TEST(Scratch, GivesDisjointMemoryAtCacheLines) {
  Scratch scratch;
  const auto a = scratch.take(3), b = scratch.take(100'000);
  const auto c = scratch.take<std::int32_t>(5);
  std::ranges::fill(a, 1.0F);
  std::ranges::fill(b, 2.0F);
  std::ranges::fill(c, 3);
  EXPECT_EQ(std::ranges::count(a, 1.0F), 3);
  EXPECT_EQ(std::ranges::count(b, 2.0F), 100'000);
  for (const void* p : {static_cast<const void*>(a.data()), static_cast<const void*>(b.data()),
                        static_cast<const void*>(c.data())})
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p) % 64, 0u);
}

TEST(Scratch, AnInnerOneLeavesTheOuterOnesNumbersAlone) {
  Scratch outer;
  const auto kept = outer.take(1000);
  std::ranges::fill(kept, 7.0F);
  for (int turn = 0; turn < 3; ++turn) {
    Scratch inner;
    std::ranges::fill(inner.take(1'000'000), 0.0F);
    EXPECT_EQ(std::ranges::count(kept, 7.0F), 1000);
  }
  std::ranges::fill(outer.take(1000), 0.0F);
  EXPECT_EQ(std::ranges::count(kept, 7.0F), 1000);
}

TEST(Scratch, GivesTheSameMemoryAgain) {
  const auto take = [] {
    Scratch scratch;
    scratch.take(10);
    return static_cast<void*>(scratch.take(50'000).data());
  };
  take();  // Its two blocks become one.
  const void* const warm = take();
  EXPECT_EQ(take(), warm);
}

TEST(Scratch, IsOneForEachThread) {
  Scratch scratch;
  const auto own = scratch.take(1000);
  std::ranges::fill(own, 1.0F);
  std::thread([] {
    Scratch other;
    std::ranges::fill(other.take(1000), 2.0F);
  }).join();
  EXPECT_EQ(std::ranges::count(own, 1.0F), 1000);
}

TEST(Scratch, ZerosAreZeros) {
  {
    Scratch scratch;
    std::ranges::fill(scratch.take(64), 5.0F);
  }
  Scratch scratch;
  const float* const zeros = scratch.zeros(64);
  EXPECT_EQ(std::count(zeros, zeros + 64, 0.0F), 64);
}

}  // namespace
}  // namespace recloom
