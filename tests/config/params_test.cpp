#include "recloom/config/params.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace recloom {
namespace {

TEST(Params, FindsAndMerges) {
  Params params{{"a", std::int64_t{1}}, {"t.b", true}};
  params.merge({{"a", std::int64_t{2}}, {"c", 0.5}});
  EXPECT_EQ(*params.find("a"), Value(std::int64_t{2}));
  EXPECT_EQ(*params.find("c"), Value(0.5));
  EXPECT_EQ(params.find("t"), nullptr);
}

TEST(Params, TakesTablesApartAndTogether) {
  const Params params{{"t.a", true}, {"t.u.b", false}, {"tx.c", true}, {"t", true}};
  const Params below = params.below("t");
  EXPECT_EQ(below.values().size(), 2U);
  EXPECT_EQ(*below.find("u.b"), Value(false));
  Params back;
  back.merge_below("t", below);
  EXPECT_EQ(*back.find("t.a"), Value(true));
  EXPECT_TRUE(params.below("none").empty());
}

TEST(ToText, IsToml) {
  using namespace std::string_literals;
  EXPECT_EQ(to_text(true), "true");
  EXPECT_EQ(to_text(std::int64_t{-3}), "-3");
  EXPECT_EQ(to_text(0.001), "0.001");
  EXPECT_EQ(to_text(1.0), "1.0");
  EXPECT_EQ(to_text(1e-9), "1e-09");
  EXPECT_EQ(to_text(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(to_text("a\"b\\c\nd\te\x01"s), "\"a\\\"b\\\\c\\nd\\te\\u0001\"");
  EXPECT_EQ(to_text(std::vector<std::int64_t>{1, 2}), "[1, 2]");
  EXPECT_EQ(to_text(std::vector<double>{0.5, 2}), "[0.5, 2.0]");
  EXPECT_EQ(to_text(std::vector<std::string>{"x"}), "[\"x\"]");
}

}  // namespace
}  // namespace recloom
