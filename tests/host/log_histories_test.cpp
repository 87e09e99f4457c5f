// Whether a log can be answered line by line, in bounded memory.
#include "host/log_histories.hpp"

#include <gtest/gtest.h>

#include "support/support.hpp"

namespace recloom {
namespace {

TEST(LogHistories, ALineEachIsToldInPartsOfAnySize) {
  const testing::TemporaryFolder folder;
  const RunContext run;
  std::string distinct;
  for (int user = 0; user < 50; ++user) distinct += "u" + std::to_string(user) + " a b\n";
  std::string all_one;
  for (int line = 0; line < 50; ++line) all_one += "u a\n";
  const std::string each = folder.write("each.txt", distinct);
  const std::string twice = folder.write("twice.txt", distinct + "u3 c\n");
  const std::string one = folder.write("one.txt", all_one);
  for (const std::size_t most : {1U, 2U, 7U, 50U, 51U, 1000U}) {
    EXPECT_TRUE(has_a_line_each(each, most, run)) << most;
    EXPECT_FALSE(has_a_line_each(twice, most + 1, run)) << most;
    EXPECT_FALSE(has_a_line_each(one, most + 1, run)) << most;
  }
}

}  // namespace
}  // namespace recloom
