// The interface that plugins are compiled against is written down, so that no change of it goes
// unnoticed.
#include "recloom/plugin/abi.hpp"

#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdio>
#include <set>
#include <sstream>
#include <string>

#include "support/support.hpp"

namespace recloom {
namespace {

struct Interface {
  std::uint32_t abi_number = 0;
  std::uint64_t layout_hash = 0, header_hash = 0;
};

std::string line_of(const Interface& interface) {
  char text[80];
  std::snprintf(text, sizeof text, "%" PRIu32 " %016" PRIx64 " %016" PRIx64, interface.abi_number,
                interface.layout_hash, interface.header_hash);
  return text;
}

std::vector<Interface> written_down() {
  std::istringstream file(testing::read_text(testing::source_dir() / "framework/abi.txt"));
  std::vector<Interface> all;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    Interface one;
    EXPECT_EQ(std::sscanf(line.c_str(), "%" SCNu32 " %" SCNx64 " %" SCNx64, &one.abi_number,
                          &one.layout_hash, &one.header_hash),
              3)
        << line;
    all.push_back(one);
  }
  return all;
}

TEST(Abi, ChangesWithItsNumber) {
  const std::vector<Interface> all = written_down();
  ASSERT_FALSE(all.empty());
  const Interface now{plugin::kAbiNumber, plugin::kLayoutHash, RECLOOM_HEADER_HASH};
  EXPECT_EQ(line_of(all.back()), line_of(now))
      << "What plugins are compiled against has changed. If recloom was released since the last "
         "line of framework/abi.txt was written, add 1 to kAbiNumber in plugin/abi.hpp and append "
         "a line; else replace the last one.";
}

TEST(Abi, HasOneLineForEachNumber) {
  std::uint32_t before = 0;
  std::set<std::string> interfaces;
  for (const Interface& one : written_down()) {
    EXPECT_GT(one.abi_number, before);
    before = one.abi_number;
    EXPECT_TRUE(interfaces.insert(line_of(one).substr(2)).second) << line_of(one);
  }
}

}  // namespace
}  // namespace recloom
