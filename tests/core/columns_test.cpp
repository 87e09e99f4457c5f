#include "core/columns.hpp"

#include <gtest/gtest.h>

namespace recloom {
namespace {

TEST(Columns, AreThoseOfATerminal) {
  EXPECT_EQ(columns_of(""), 0U);
  EXPECT_EQ(columns_of("loss 0.5"), 8U);
  EXPECT_EQ(columns_of("Sigur Rós"), 9U);
  EXPECT_EQ(columns_of("日本語"), 6U);
  EXPECT_EQ(columns_of("e\xcc\x81"), 1U);         // e and a combining acute accent.
  EXPECT_EQ(columns_of("\xf0\x9f\x8e\xb5"), 2U);  // A note.
  EXPECT_EQ(columns_of("\xff\xfe"), 2U);
}

TEST(Columns, CutNoCharacterInTwo) {
  EXPECT_EQ(cut_to_columns("abc", 2), "ab");
  EXPECT_EQ(cut_to_columns("abc", 3), "abc");
  EXPECT_EQ(cut_to_columns("日本語", 3), "日");
  EXPECT_EQ(cut_to_columns("日本語", 4), "日本");
  EXPECT_EQ(cut_to_columns("e\xcc\x81x", 1), "e\xcc\x81");
  EXPECT_EQ(cut_to_columns("abc", 0), "");
}

}  // namespace
}  // namespace recloom
