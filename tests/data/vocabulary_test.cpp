#include "recloom/data/vocabulary.hpp"

#include <gtest/gtest.h>

namespace recloom {
namespace {

TEST(Vocabulary, TranslatesBothWays) {
  const Vocabulary words({"[PAD]", "ann"}, {"[PAD]", "tea", "007", "7"}, {"", "Green tea", "", ""});
  EXPECT_EQ(words.item("tea"), 1);
  EXPECT_EQ(words.item("007"), 2);
  EXPECT_EQ(words.item("7"), 3);
  EXPECT_EQ(words.user("ann"), 1);
  EXPECT_EQ(words.item_token(2), "007");
  EXPECT_EQ(words.item_name(1), "Green tea");
  EXPECT_EQ(words.item_name(2), "");
}

TEST(Vocabulary, GivesZeroOrNothingForTheUnknown) {
  const Vocabulary words({"[PAD]"}, {"[PAD]", "tea"}, {});
  EXPECT_EQ(words.item("coffee"), 0);
  EXPECT_EQ(words.item("[PAD]"), 0);
  EXPECT_EQ(words.user("ann"), 0);
  EXPECT_EQ(words.item_token(5), "");
  EXPECT_EQ(words.item_token(-1), "");
  EXPECT_EQ(words.item_name(1), "");
}

TEST(Vocabulary, KnowsARealTokenThatLooksLikePadding) {
  const Vocabulary words({"[PAD]"}, {"[PAD]", "tea", "[PAD]", "mug"}, {});
  EXPECT_EQ(words.item("[PAD]"), 2);
  EXPECT_EQ(words.item("mug"), 3);
}

}  // namespace
}  // namespace recloom
