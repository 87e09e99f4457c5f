#include "core/utf8.hpp"

#include <gtest/gtest.h>

namespace recloom {
namespace {

TEST(Utf8, IsToldFromOtherBytes) {
  for (const char* text : {"", "abc", "bl\xC3\xA5", "\xE7\x8E\x8B", "\xF0\x9F\x99\x82"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  // A lone continuation, a cut sequence, an overlong form, a surrogate, above U+10FFFF.
  for (const char* text :
       {"\x80", "a\xC3", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF"}) {
    EXPECT_FALSE(is_utf8(text));
  }
}

TEST(Utf8, MeasuresTheFirstCharacter) {
  EXPECT_EQ(utf8_length("ab"), 1U);
  EXPECT_EQ(utf8_length("\u00e9b"), 2U);
  EXPECT_EQ(utf8_length("\u20ac"), 3U);
  EXPECT_EQ(utf8_length("\U0001f642\xff"), 4U);
  EXPECT_EQ(utf8_length("\xff"), 0U);
  EXPECT_EQ(utf8_length(""), 0U);
}

}  // namespace
}  // namespace recloom
