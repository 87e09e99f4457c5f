#include "data/cells.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace recloom {
namespace {

/// Return the cells of a line; "!" as the last one stands for an unclosed quote.
std::vector<std::string> cells(std::string_view line, CellRules rules = CellRules::pandas) {
  std::string scratch;
  CellCursor cursor(line, ",", rules, scratch);
  std::vector<std::string> list;
  for (std::string_view cell; cursor.next(cell);) list.emplace_back(cell);
  if (cursor.unclosed_quote()) list.emplace_back("!");
  return list;
}

using Cells = std::vector<std::string>;

TEST(Cells, AreCutAtSeparators) {
  EXPECT_EQ(cells("a,b"), (Cells{"a", "b"}));
  EXPECT_EQ(cells(",a,,"), (Cells{"", "a", "", ""}));
  EXPECT_EQ(cells(""), (Cells{""}));
}

TEST(Cells, AreUnquotedByPandasRules) {
  EXPECT_EQ(cells(R"("a,b",c)"), (Cells{"a,b", "c"}));
  EXPECT_EQ(cells(R"("say ""hi""","")"), (Cells{"say \"hi\"", ""}));
  EXPECT_EQ(cells(R"(12" vinyl,a""b)"), (Cells{"12\" vinyl", "a\"\"b"}));
  EXPECT_EQ(cells(R"("a"b,c)"), (Cells{"ab", "c"}));
  EXPECT_EQ(cells(R"(a,"b,c)"), (Cells{"a", "!"}));
}

TEST(Cells, AreVerbatimByRawRules) {
  EXPECT_EQ(cells(R"("a,b",c)", CellRules::raw), (Cells{"\"a", "b\"", "c"}));
}

TEST(Cells, KnowPandasWordsForMissing) {
  for (const char* word :
       {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
        "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}) {
    EXPECT_TRUE(is_missing_word(word)) << word;
  }
  for (const char* word : {"none", "Null", "NAN", "na", "0", "1", "-", " ", "NA ", "nothing"}) {
    EXPECT_FALSE(is_missing_word(word)) << word;
  }
}

TEST(Cells, ParseIntegersThatHave64Bits) {
  std::int64_t value = 0;
  EXPECT_TRUE(parse_integer(" +12 ", value));
  EXPECT_EQ(value, 12);
  EXPECT_TRUE(parse_integer("-9223372036854775808", value));
  EXPECT_EQ(value, std::numeric_limits<std::int64_t>::min());
  EXPECT_TRUE(parse_integer("9223372036854775806", value));
  // The largest one stands for a missing time inside, so it is read as a real number.
  for (const char* text : {"9223372036854775807", "9223372036854775808", "1.0", "1e3", "", "1 2"}) {
    EXPECT_FALSE(parse_integer(text, value)) << text;
  }
}

}  // namespace
}  // namespace recloom
