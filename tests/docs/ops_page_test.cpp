#include "docs/ops_page.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>

#include "support/support.hpp"

namespace recloom::testing {
namespace {

TEST(OpsPage, IsWhatTheCodeSays) {
  const auto path = source_dir() / "docs/ops.md";
  if (std::getenv("RECLOOM_WRITE_DOCS") != nullptr) std::ofstream(path) << ops_page();
  EXPECT_EQ(read_text(path), ops_page())
      << "to write the page anew: RECLOOM_WRITE_DOCS=1 build/release/bin/test_docs "
         "--gtest_filter='OpsPage*'";
}

TEST(OpsPage, KnowsEveryExtent) { EXPECT_EQ(ops_page().find('?'), std::string::npos); }

TEST(OpsPage, HasEveryOperation) {
  const std::string page = ops_page();
  int found = 0;
  for (const char* header : {"ops.hpp", "losses.hpp", "modules.hpp"}) {
    const std::string text = read_text(source_dir() / "framework/include/recloom/nn" / header);
    static const std::regex function("(?:Var|Loss) (\\w+)\\(");
    for (std::sregex_iterator match(text.begin(), text.end(), function), end; match != end;
         ++match) {
      const std::string name = (*match)[1].str();
      if (name == "operator" || name == "Loss") continue;
      ++found;
      EXPECT_TRUE(std::regex_search(page, std::regex("[`( ,]" + name + "[(,`]"))) << name;
    }
  }
  EXPECT_GT(found, 30);
}

}  // namespace
}  // namespace recloom::testing
