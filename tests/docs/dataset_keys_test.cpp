// datasets/README.md explains every key of a dataset.toml, with an example that is legal.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>

#include "config/toml.hpp"
#include "host/config_sections.hpp"
#include "host/dataset_toml.hpp"
#include "recloom/recloom.hpp"
#include "support/support.hpp"

namespace recloom::testing {
namespace {

/// Keys of the page's tables with their examples.
std::map<std::string, std::string> examples() {
  const std::string page = read_text(source_dir() / "datasets/README.md");
  static const std::regex row(R"(\| `([a-z0-9_.]+)` \| `([^`]*)` \|)");
  std::map<std::string, std::string> found;
  for (std::sregex_iterator match(page.begin(), page.end(), row), end; match != end; ++match)
    EXPECT_TRUE(found.emplace((*match)[1], (*match)[2]).second) << (*match)[1] << " stands twice";
  return found;
}

TEST(DatasetKeys, EachIsExplained) {
  const std::map<std::string, std::string> explained = examples();
  std::vector<std::string> keys = kDatasetKeys;
  for (const std::string& key : host_keys())
    if (!key.starts_with("train.") && key != "data.max_length") keys.push_back(key);
  for (const std::string& key : keys) EXPECT_TRUE(explained.contains(key)) << key;
  for (const auto& [key, example] : explained)
    EXPECT_NE(std::find(keys.begin(), keys.end(), key), keys.end()) << key << " is no key";
}

TEST(DatasetKeys, TheirExamplesAreLegal) {
  for (const auto& [key, example] : examples()) {
    const std::size_t dot = key.find('.');
    if (dot == std::string::npos) continue;
    const Params one = parse_toml(key + " = " + example, "README.md");
    RunConfig config;
    for_each_section(config, [&, &name = key](std::string_view table, auto& options) {
      if (name.substr(0, dot) != table) return;
      EXPECT_NO_THROW(assign_section(table, options, one.below(table))) << name;
    });
  }
}

}  // namespace
}  // namespace recloom::testing
