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

SourceFiles framework_files() {
  SourceFiles files;
  for_each_source("framework", [&](const std::string& path, const std::string& text) {
    files.emplace(path, text);
  });
  EXPECT_GT(files.size(), 40u) << "the framework was not read";
  return files;
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

TEST(UnitCycles, AreNotInTheRepository) {
  const std::vector<std::string> cycles = unit_cycles(framework_files());
  EXPECT_TRUE(cycles.empty()) << joined(cycles);
}

TEST(NnFolders, StandOnEachOtherInOrder) {
  const std::vector<std::string> breaches = nn_folder_breaches(framework_files());
  EXPECT_TRUE(breaches.empty()) << joined(breaches);
}

TEST(NnFolders, HoldAllFiles) {
  const std::vector<std::string> outside = nn_files_outside_folders(framework_files());
  EXPECT_TRUE(outside.empty()) << joined(outside);
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
      {"framework/cli/parse.cpp", "#include <CLI/CLI.hpp>", true},
      {"framework/cli/train.cpp", "#include <CLI/CLI.hpp>", false},
      {"plugins/caser/caser.cpp", "#include \"recloom/plugin/plugin.hpp\"", true},
      {"plugins/caser/caser.cpp", "#include \"nn/graph.hpp\"", false},
      {"plugins/caser/caser.cpp", "#include <nlohmann/json.hpp>", false},
      {"plugins/caser/caser.cpp", "  #  include <unistd.h>", false},
  };
  for (const auto& [path, line, legal] : cases)
    EXPECT_EQ(include_breaches(path, line).empty(), legal) << path << ": " << line;
}

TEST(UnitCycles, AreFoundBetweenUnits) {
  const SourceFiles files = {
      {"framework/src/data/a.hpp", "#pragma once\n#include \"data/b.hpp\"\n"},
      {"framework/src/data/b.hpp", ""},
      {"framework/src/data/b.cpp", "#include \"data/b.hpp\"\n\n#include \"data/c.hpp\"\n"},
      {"framework/src/data/c.hpp", "#include \"data/a.hpp\"\n"}};
  EXPECT_EQ(unit_cycles(files),
            std::vector<std::string>{
                "data/a -> data/b -> data/c -> data/a (framework/src/data/a.hpp:2: data/b.hpp, "
                "framework/src/data/b.cpp:3: data/c.hpp, framework/src/data/c.hpp:1: data/a.hpp)"});
}

TEST(UnitCycles, JoinPublicAndPrivateFilesOfOneName) {
  const SourceFiles files = {
      {"framework/include/recloom/nn/graph.hpp", ""},
      {"framework/src/nn/graph/graph.cpp", "#include \"nn/ops/conv.hpp\"\n"},
      {"framework/src/nn/ops/conv.hpp", "#include \"recloom/nn/graph.hpp\"\n"}};
  EXPECT_EQ(unit_cycles(files),
            std::vector<std::string>{
                "nn/conv -> nn/graph -> nn/conv (framework/src/nn/ops/conv.hpp:1: "
                "recloom/nn/graph.hpp, framework/src/nn/graph/graph.cpp:1: nn/ops/conv.hpp)"});
}

TEST(UnitCycles, AreEachToldOnce) {
  const SourceFiles files = {
      {"framework/src/data/a.cpp", "#include \"data/b.hpp\"\n"},
      {"framework/src/data/b.cpp", "#include \"data/a.hpp\"\n#include \"data/c.hpp\"\n"},
      {"framework/src/data/c.cpp", "#include \"data/b.hpp\"\n"},
      {"framework/src/eval/a.cpp", "#include \"eval/b.hpp\"\n"},
      {"framework/src/eval/b.cpp", "#include \"eval/a.hpp\"\n"}};
  EXPECT_EQ(unit_cycles(files).size(), 3u) << joined(unit_cycles(files));
}

TEST(UnitCycles, AreNotWhereAllPointsOneWay) {
  const SourceFiles files = {
      {"framework/include/recloom/data/a.hpp", "#include \"recloom/core/error.hpp\"\n"},
      {"framework/src/data/a.hpp", "#include \"recloom/data/a.hpp\"\n"},
      {"framework/src/data/a.cpp", "#include \"data/a.hpp\"\n#include <data/b.hpp>\n"},
      {"framework/src/data/b.cpp", "#include \"data/a.hpp\"\n#include \"core/b.hpp\"\n"},
      {"framework/src/core/b.hpp", ""}};  // Another module's: another unit.
  EXPECT_EQ(unit_cycles(files), std::vector<std::string>());
}

TEST(NnFolders, AreJudgedBySingleLines) {
  const SourceFiles sources = {{"framework/src/nn/graph/parameters.cpp", ""},
                               {"framework/src/nn/query/network_recommender.cpp", ""}};
  const std::vector<Case> cases = {
      {"framework/src/nn/graph/x.cpp", "#include \"nn/graph/y.hpp\"", true},
      {"framework/src/nn/graph/x.cpp", "#include \"nn/exec/shard.hpp\"", false},
      {"framework/src/nn/exec/x.cpp", "#include \"nn/passes/plan.hpp\"", true},
      {"framework/src/nn/exec/x.cpp", "#include \"nn/optim/gradients.hpp\"", true},
      {"framework/src/nn/optim/x.cpp", "#include \"nn/exec/shard.hpp\"", false},
      {"framework/src/nn/step/x.cpp", "#include \"nn/query/run.hpp\"", true},
      {"framework/src/nn/query/x.cpp", "#include \"nn/step/train_step.hpp\"", false},
      // Public headers: of their unit's folder, or in the table.
      {"framework/src/nn/ops/x.cpp", "#include \"recloom/nn/parameters.hpp\"", true},
      {"framework/src/nn/graph/x.cpp", "#include \"recloom/nn/network_recommender.hpp\"", false},
      {"framework/src/nn/graph/x.cpp", "#include \"recloom/nn/op.hpp\"", true},
      {"framework/src/nn/ops/x.cpp", "#include \"recloom/nn/modules.hpp\"", false},
      {"framework/include/recloom/nn/parameters.hpp", "#include \"recloom/nn/modules.hpp\"", false},
      {"framework/include/recloom/nn/modules.hpp", "#include \"recloom/nn/parameters.hpp\"", true},
      // What is not nn's is judged elsewhere.
      {"framework/src/nn/graph/x.cpp", "#include \"kernels/exec/gemm.hpp\"", true},
      {"framework/src/train/graph/x.cpp", "#include \"nn/step/train_step.hpp\"", true},
  };
  for (const auto& [path, line, legal] : cases) {
    SourceFiles files = sources;
    files[path] = line;
    EXPECT_EQ(nn_folder_breaches(files).empty(), legal) << path << ": " << line;
  }
}

TEST(NnFolders, SayWhereABreachIs) {
  const SourceFiles files = {
      {"framework/src/nn/graph/x.cpp", "\n#include \"nn/exec/shard.hpp\"\n"}};
  EXPECT_EQ(nn_folder_breaches(files),
            std::vector<std::string>{"framework/src/nn/graph/x.cpp:2: #include of "
                                     "nn/exec/shard.hpp: nn's folder graph may not stand on exec"});
}

TEST(NnFolders, MissFilesThatLieElsewhere) {
  const SourceFiles files = {{"framework/include/recloom/nn/op.hpp", ""},
                             {"framework/include/recloom/nn/unheard_of.hpp", ""},
                             {"framework/src/nn/graph/x.cpp", ""},
                             {"framework/src/nn/helpers/x.hpp", ""},
                             {"framework/src/nn/y.cpp", ""},
                             {"framework/src/eval/z.cpp", ""}};
  EXPECT_EQ(nn_files_outside_folders(files).size(), 3u) << joined(nn_files_outside_folders(files));
}

TEST(ModelNames, AreFoundInCodeAndNotInComments) {
  const std::vector<std::string> models = {"caser", "pop"};
  EXPECT_EQ(model_name_breaches("f.cpp", "if (name == \"Caser\") {}", models).size(), 1u);
  EXPECT_EQ(model_name_breaches("f.cpp", "run(\"pop\");", models).size(), 1u);
  EXPECT_TRUE(model_name_breaches("f.cpp", "stack.pop();  // as Caser does", models).empty());
}

}  // namespace
}  // namespace recloom::testing
