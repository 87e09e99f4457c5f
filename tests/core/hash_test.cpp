#include "core/hash.hpp"

#include <gtest/gtest.h>

namespace recloom {
namespace {

TEST(Hash64, GivesPublishedAnswers) {
  EXPECT_EQ(hex(hash64("")), "2d06800538d394c2");  // xxHash's documented hash of nothing
  EXPECT_NE(hash64("a"), hash64("a", 1));
}

TEST(Hasher, GivesTheSameForPieces) {
  const std::string text(10000, 'q');
  Hasher hasher;
  EXPECT_EQ(hasher.value(), hash64(""));
  hasher.update(text.substr(0, 1));
  hasher.update("");
  hasher.update(text.substr(1));
  EXPECT_EQ(hasher.value(), hash64(text));
}

TEST(Hex, HasSixteenDigits) { EXPECT_EQ(hex(0xabc), "0000000000000abc"); }

}  // namespace
}  // namespace recloom
