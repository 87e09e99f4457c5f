#include "core/utf8.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

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

TEST(Utf8, HoldsTheBytesOfEveryName) {
  EXPECT_EQ(escape_bytes("caf\xe9.inter"), "caf\\xE9.inter");
  EXPECT_EQ(escape_bytes("caf\u00e9 \\ \\x4 \\y41"), "caf\u00e9 \\ \\x4 \\y41");
  EXPECT_EQ(escape_bytes("a\\x41\\xfg"), "a\\x5Cx41\\xfg");
  std::uint64_t state = 1;
  for (int name = 0; name < 5000; ++name) {
    std::string bytes;
    for (int n = 0; n < 12; ++n) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      constexpr std::string_view kLikely = "\\xX0aF9\xc3\xa9\xe9\xff/";
      bytes += kLikely[(state >> 33) % kLikely.size()];
    }
    const std::string text = escape_bytes(bytes);
    ASSERT_TRUE(is_utf8(text));
    ASSERT_EQ(unescape_bytes(text), bytes);
    ASSERT_TRUE(is_utf8(as_utf8(bytes)));
    if (is_utf8(bytes)) {
      ASSERT_EQ(as_utf8(bytes), bytes);
    }
  }
}

}  // namespace
}  // namespace recloom
