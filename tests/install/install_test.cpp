#include <gtest/gtest.h>

#include <algorithm>

#include "docs/markdown.hpp"
#include "install/moved_prefix.hpp"

namespace recloom::testing {
namespace {

TEST_F(MovedPrefix, FindsItsPlugins) {
  const ProgramResult list = recloom({"plugins", "list"});
  EXPECT_EQ(list.exit_code, 0) << list.err;
  int n_plugins = 0;
  for (const auto& entry : fs::directory_iterator(prefix() / "lib/recloom/plugins")) {
    const std::string stem = entry.path().stem().string();
    if (!stem.starts_with("recloom-")) continue;
    EXPECT_NE(list.out.find(stem.substr(8)), std::string::npos) << list.out;
    ++n_plugins;
  }
  EXPECT_GT(n_plugins, 0);
}

TEST_F(MovedPrefix, PassesItsSelfTest) {
  const ProgramResult doctor = recloom({"doctor"});
  EXPECT_EQ(doctor.exit_code, 0) << doctor.out << doctor.err;
}

TEST_F(MovedPrefix, FindsItsDataSets) {
  const ProgramResult stats = recloom({"data", "stats", "online-retail", "--json"});
  EXPECT_EQ(stats.exit_code, 0) << stats.err;
  EXPECT_NE(stats.out.find("384695"), std::string::npos) << stats.out;
}

TEST_F(MovedPrefix, HoldsNoPathOfTheBuild) {
  for (const char* file :
       {"lib/cmake/recloom/recloom-config.cmake", "lib/cmake/recloom/recloom-targets.cmake",
        "lib/cmake/recloom/recloom-targets-release.cmake"}) {
    if (!fs::exists(prefix() / file)) continue;  // the last one is named after the build type
    const std::string text = read_text(prefix() / file);
    EXPECT_EQ(text.find(binary_dir().string()), std::string::npos) << file;
    EXPECT_EQ(text.find(source_dir().string()), std::string::npos) << file;
  }
}

// A plugin of this repository, taken out of it.
TEST_F(MovedPrefix, BuildsAPlugin) {
  if (is_sanitized()) GTEST_SKIP() << kSanitizedReason;
  folder_->write("pop/pop.cpp", read_text(source_dir() / "plugins/pop/pop.cpp"));
  folder_->write("pop/CMakeLists.txt",
                 "cmake_minimum_required(VERSION 3.25)\n"
                 "project(outside CXX)\n"
                 "find_package(recloom REQUIRED)\n"
                 "recloom_add_plugin(NAME pop SOURCES pop.cpp)\n");
  const std::string build = build_outside(folder_->path() / "pop");
  fs::remove(prefix() / "lib/recloom/plugins/recloom-pop.so");
  const ProgramResult described =
      recloom({"plugins", "describe", "pop"}, {"RECLOOM_PLUGIN_PATH=" + build});
  EXPECT_EQ(described.exit_code, 0) << described.err;
}

TEST_F(MovedPrefix, BuildsTheProgramOfTheReadme) {
  if (is_sanitized()) GTEST_SKIP() << kSanitizedReason;
  const std::string program = fenced_blocks(read_text(source_dir() / "README.md"), "cpp");
  ASSERT_NE(program.find("int main"), std::string::npos);
  folder_->write("readme/main.cpp", program);
  folder_->write("readme/CMakeLists.txt",
                 "cmake_minimum_required(VERSION 3.25)\n"
                 "project(outside CXX)\n"
                 "find_package(recloom REQUIRED)\n"
                 "add_executable(readme main.cpp)\n"
                 "target_link_libraries(readme PRIVATE recloom::recloom)\n");
  const std::string build = build_outside(folder_->path() / "readme");
  const ProgramResult trained =
      recloom({"train", "online-retail", "--model", "markov", "--run-dir", "runs/markov"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const ProgramResult run = run_program({build + "/readme"}, {}, folder_->path().string());
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(std::count(run.out.begin(), run.out.end(), '\n'), 3) << run.out;
}

}  // namespace
}  // namespace recloom::testing
