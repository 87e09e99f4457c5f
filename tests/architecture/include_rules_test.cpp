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

TEST(IncludeRule, JudgesSingleLines) {
  const std::vector<Case> cases = {
      {"framework/src/kernels/dnnl_conv.cpp", "#include <oneapi/dnnl/dnnl.hpp>", true},
      {"framework/src/nn/conv.cpp", "#include <oneapi/dnnl/dnnl.hpp>", false},
      {"framework/src/core/parallel.cpp", "#include <tbb/task_arena.h>", true},
      {"framework/src/train/trainer.cpp", "#include <oneapi/tbb.h>", false},
      {"framework/src/eval/report.cpp", "#include <fmt/format.h>", true},
      {"framework/include/recloom/core/error.hpp", "#include <fmt/format.h>", false},
      {"framework/include/recloom/core/error.hpp", "#include <vector>", true},
      {"framework/include/recloom/core/error.hpp", "#include \"core/text.hpp\"", false},
      {"framework/src/core/file.cpp", "#include <sys/stat.h>", true},
      {"framework/src/core/file.cpp", "#include <curl/curl.h>", false},
      {"framework/src/data/reader.cpp", "#include \"recloom/core/error.hpp\"", true},
      {"framework/src/data/reader.cpp", "#include \"recloom/model/traits.hpp\"", false},
      {"framework/src/nn/graph.cpp", "#include \"kernels/gemm.hpp\"", true},
      {"framework/src/data/reader.cpp", "#include \"kernels/gemm.hpp\"", false},
      {"framework/src/nn/graph.cpp", "#include \"eval/ranking.hpp\"", false},
      {"framework/cli/train.cpp", "#include \"recloom/recloom.hpp\"", true},
      {"framework/cli/train.cpp", "#include \"core/file.hpp\"", false},
      {"framework/cli/plugins_check.cpp", "#include \"recloom/testing/conformance.hpp\"", true},
      {"framework/src/testing/subject.cpp", "#include \"recloom/recloom.hpp\"", true},
      {"framework/src/host/doctor.cpp", "#include \"recloom/testing/conformance.hpp\"", false},
      {"framework/cli/train.cpp", "#include <CLI/CLI.hpp>", true},
      {"plugins/caser/caser.cpp", "#include \"recloom/plugin/plugin.hpp\"", true},
      {"plugins/caser/caser.cpp", "#include \"nn/graph.hpp\"", false},
      {"plugins/caser/caser.cpp", "#include <nlohmann/json.hpp>", false},
      {"plugins/caser/caser.cpp", "  #  include <unistd.h>", false},
  };
  for (const auto& [path, line, legal] : cases)
    EXPECT_EQ(include_breaches(path, line).empty(), legal) << path << ": " << line;
}

TEST(ModelNames, AreFoundInCodeAndNotInComments) {
  const std::vector<std::string> models = {"caser", "pop"};
  EXPECT_EQ(model_name_breaches("f.cpp", "if (name == \"Caser\") {}", models).size(), 1u);
  EXPECT_EQ(model_name_breaches("f.cpp", "run(\"pop\");", models).size(), 1u);
  EXPECT_TRUE(model_name_breaches("f.cpp", "stack.pop();  // as Caser does", models).empty());
}

}  // namespace
}  // namespace recloom::testing
