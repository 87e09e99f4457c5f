#include "data/token_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace recloom {
namespace {

TEST(TokenTable, CodesLikeAMap) {
  // Tokens of two letters and every length from 0 to 20: many differ in one place only.
  std::mt19937 random(11);
  TokenTable table;
  std::map<std::string, std::int32_t> expected;
  for (int round = 0; round < 20000; ++round) {
    std::string token(random() % 21, 'a');
    for (int change = 0; change < 3 && !token.empty(); ++change) {
      token[random() % token.size()] = 'b';
    }
    const auto next = static_cast<std::int32_t>(expected.size());
    const std::int32_t code = expected.emplace(token, next).first->second;
    ASSERT_EQ(table.insert(token), code) << token;
    ASSERT_EQ(table[code], token);
  }
  ASSERT_EQ(table.size(), expected.size());
  for (const auto& [token, code] : expected) EXPECT_EQ(table.find(token), code) << token;
  EXPECT_EQ(table.find("c"), TokenTable::kUnknown);
}

TEST(TokenTable, TellsZeroBytesFromShorterTokens) {
  TokenTable table;
  EXPECT_EQ(table.insert(std::string_view("a\0", 2)), 0);
  EXPECT_EQ(table.insert("a"), 1);
  EXPECT_EQ(table.insert(""), 2);
  EXPECT_EQ(table.insert(std::string_view("\0", 1)), 3);
}

TEST(TokenTable, TellsLongTokensThatDifferInOnePlace) {
  const std::string token(40, 'a');
  TokenTable table;
  ASSERT_EQ(table.insert(token), 0);
  for (std::size_t at = 0; at < token.size(); ++at) {
    std::string other = token;
    other[at] = 'b';
    ASSERT_EQ(table.find(other), TokenTable::kUnknown) << at;
    ASSERT_EQ(table.insert(other), static_cast<std::int32_t>(at + 1));
  }
  EXPECT_EQ(table.find(token), 0);
}

TEST(TokenKey, IsTheSameWhereMoreTextMayBeRead) {
  const std::string text = "0123456789abcdefghijklmnopqrstuvwxyz";
  for (std::size_t size = 0; size <= 20; ++size) {
    const std::string_view token = std::string_view(text).substr(0, size);
    EXPECT_EQ(TokenKey::in_text(token), TokenKey(token)) << size;
  }
}

}  // namespace
}  // namespace recloom
