#include "architecture/include_rules.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

namespace recloom::testing {
namespace {

namespace fs = std::filesystem;

fs::path repository() { return RECLOOM_SOURCE_DIR; }

/// Calls visit(path relative to the repository, text) for every C++ file below a folder.
int for_each_source(std::string_view folder,
                    const std::function<void(const std::string&, const std::string&)>& visit) {
  int n_files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(repository() / folder)) {
    const auto extension = entry.path().extension();
    if (extension != ".hpp" && extension != ".cpp") continue;
    std::ifstream stream(entry.path());
    const std::string text((std::istreambuf_iterator<char>(stream)), {});
    visit(fs::relative(entry.path(), repository()).string(), text);
    ++n_files;
  }
  return n_files;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::vector<std::string> plugin_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(repository() / "plugins"))
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  return names;
}

TEST(IncludeRule, HoldsInTheWholeRepository) {
  std::vector<std::string> breaches;
  int n_files = 0;
  for (const char* folder : {"framework", "plugins"})
    n_files += for_each_source(folder, [&](const std::string& path, const std::string& text) {
      const auto found = include_breaches(path, text);
      breaches.insert(breaches.end(), found.begin(), found.end());
    });
  EXPECT_GT(n_files, 40) << "the repository was not read";
  EXPECT_TRUE(breaches.empty()) << joined(breaches);
}

TEST(IncludeRule, FrameworkNamesNoModel) {
  std::vector<std::string> breaches;
  for_each_source("framework", [&](const std::string& path, const std::string& text) {
    const auto found = model_name_breaches(path, text, plugin_names());
    breaches.insert(breaches.end(), found.begin(), found.end());
  });
  EXPECT_TRUE(breaches.empty()) << joined(breaches);
}

TEST(SourceFiles, StayBelowSixHundredLines) {
  for (const char* folder : {"framework", "plugins", "tests"})
    for_each_source(folder, [&](const std::string& path, const std::string& text) {
      EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 600) << path;
    });
}

struct Case {
  const char* path;
  const char* line;
  bool legal;
};

class IncludeRuleCase : public ::testing::TestWithParam<Case> {};

TEST_P(IncludeRuleCase, IsJudged) {
  const auto& [path, line, legal] = GetParam();
  EXPECT_EQ(include_breaches(path, line).empty(), legal) << path << ": " << line;
}

INSTANTIATE_TEST_SUITE_P(
    Lines, IncludeRuleCase,
    ::testing::Values(
        Case{"framework/src/kernels/dnnl_conv.cpp", "#include <oneapi/dnnl/dnnl.hpp>", true},
        Case{"framework/src/nn/conv.cpp", "#include <oneapi/dnnl/dnnl.hpp>", false},
        Case{"framework/src/core/parallel.cpp", "#include <tbb/task_arena.h>", true},
        Case{"framework/src/train/trainer.cpp", "#include <oneapi/tbb.h>", false},
        Case{"framework/src/eval/report.cpp", "#include <fmt/format.h>", true},
        Case{"framework/include/recloom/core/error.hpp", "#include <fmt/format.h>", false},
        Case{"framework/include/recloom/core/error.hpp", "#include <vector>", true},
        Case{"framework/include/recloom/core/error.hpp", "#include \"core/text.hpp\"", false},
        Case{"framework/src/core/file.cpp", "#include <sys/stat.h>", true},
        Case{"framework/src/core/file.cpp", "#include <curl/curl.h>", false},
        Case{"framework/src/data/reader.cpp", "#include \"recloom/core/error.hpp\"", true},
        Case{"framework/src/data/reader.cpp", "#include \"recloom/model/traits.hpp\"", false},
        Case{"framework/src/nn/graph.cpp", "#include \"kernels/gemm.hpp\"", true},
        Case{"framework/src/data/reader.cpp", "#include \"kernels/gemm.hpp\"", false},
        Case{"framework/src/nn/graph.cpp", "#include \"eval/ranking.hpp\"", false},
        Case{"framework/cli/train.cpp", "#include \"recloom/recloom.hpp\"", true},
        Case{"framework/cli/train.cpp", "#include \"core/file.hpp\"", false},
        Case{"framework/cli/train.cpp", "#include <CLI/CLI.hpp>", true},
        Case{"plugins/caser/caser.cpp", "#include \"recloom/plugin/plugin.hpp\"", true},
        Case{"plugins/caser/caser.cpp", "#include \"nn/graph.hpp\"", false},
        Case{"plugins/caser/caser.cpp", "#include <nlohmann/json.hpp>", false},
        Case{"plugins/caser/caser.cpp", "  #  include <unistd.h>", false}));

TEST(ModelNames, AreFoundInCodeAndNotInComments) {
  const std::vector<std::string> models = {"caser", "pop"};
  EXPECT_EQ(model_name_breaches("f.cpp", "if (name == \"Caser\") {}", models).size(), 1u);
  EXPECT_EQ(model_name_breaches("f.cpp", "run(\"pop\");", models).size(), 1u);
  EXPECT_TRUE(model_name_breaches("f.cpp", "stack.pop();  // as Caser does", models).empty());
}

}  // namespace
}  // namespace recloom::testing
