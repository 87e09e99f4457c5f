#include "plugin/loader.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "support/support.hpp"

namespace recloom {
namespace {

std::string fixture(const std::string& name) {
  return RECLOOM_FIXTURE_DIR "/recloom-" + name + ".so";
}

TEST(PluginName, IsTheStemOfTheFile) {
  EXPECT_EQ(plugin_name("/a/recloom-caser.so"), "caser");
  EXPECT_EQ(plugin_name("recloom-a-b.so"), "a-b");
  for (const char* other : {"recloom-.so", "recloom-a.so.1", "librecloom.so", "recloom-a.txt", ""})
    EXPECT_EQ(plugin_name(other), "") << other;
}

TEST(LoadPlugin, ReadsTheDescriptor) {
  const LoadedPlugin loaded = load_plugin(fixture("good_model"));
  ASSERT_NE(loaded.descriptor, nullptr) << loaded.info.problem;
  EXPECT_EQ(loaded.info.name, "good_model");
  EXPECT_EQ(loaded.info.version, "1.2.3");
  EXPECT_EQ(loaded.info.summary, "A model that works");
  EXPECT_EQ(loaded.info.kind, "model");
  EXPECT_EQ(loaded.info.file, fixture("good_model"));
  EXPECT_TRUE(loaded.info.usable());
  EXPECT_EQ(load_plugin(fixture("good_metric")).info.kind, "metric");
  EXPECT_EQ(load_plugin(fixture("good_sampler")).info.kind, "sampler");
}

TEST(LoadPlugin, OpensALibraryWithoutSymbolTable) {
  EXPECT_EQ(load_plugin(fixture("stripped")).info.problem, "");
}

TEST(LoadPlugin, TakesARelativePath) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(RECLOOM_FIXTURE_DIR);
  EXPECT_EQ(load_plugin("recloom-good_model.so").info.problem, "");
  std::filesystem::current_path(before);
}

struct Broken {
  const char* name;
  std::string problem;  ///< How it begins.
};
class BrokenPlugin : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenPlugin, HasAReasonOnOneLine) {
  const LoadedPlugin loaded = load_plugin(fixture(GetParam().name));
  EXPECT_EQ(loaded.descriptor, nullptr);
  EXPECT_FALSE(loaded.info.usable());
  EXPECT_EQ(loaded.info.name, GetParam().name);
  EXPECT_EQ(loaded.info.problem.substr(0, GetParam().problem.size()), GetParam().problem);
  EXPECT_EQ(loaded.info.problem.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, BrokenPlugin,
    ::testing::Values(
        Broken{"wrong_magic", "has no descriptor of recloom"},
        Broken{"wrong_size", "has a descriptor of 200 bytes instead of "},
        Broken{"wrong_abi", "was built for ABI 999, this is ABI "},
        Broken{"wrong_layout", "was built with another layout of the interface's types: build it"},
        Broken{"wrong_headers", "was built against other headers (SDK 0.0.9), this is SDK "},
        Broken{"no_headers", "was built without recloom_add_plugin, which records the headers"},
        Broken{"wrong_fingerprint", "was built with [another compiler], this is [cxxabi "},
        Broken{"other_sanitizer",
               "was built with [cxxabi 1, libstdc++ cxx11=1 release, sanitizer "},
        Broken{"other_debug", "was built with [cxxabi 1, libstdc++ cxx11=1 debug, sanitizer none"},
        Broken{"null_fingerprint", "was built with [], this is [cxxabi "},
        Broken{"wrong_kind", "has the unknown kind 9"},
        Broken{"no_destroy", "has an incomplete descriptor"},
        Broken{"no_symbol", "exports no symbol recloom_plugin"},
        Broken{"function_symbol", "has no descriptor of recloom"},
        Broken{"small_symbol", "has no descriptor of recloom"},
        Broken{"unresolved", "cannot be opened: undefined symbol: "}),
    [](const auto& broken) { return broken.param.name; });

TEST(LoadPlugin, RefusesAnotherName) {
  const testing::TemporaryFolder folder;
  const std::string file = folder.file("recloom-renamed.so");
  std::filesystem::copy_file(fixture("good_model"), file);
  EXPECT_EQ(load_plugin(file).info.problem,
            "calls itself 'good_model', so its file must be named recloom-good_model.so");
  std::filesystem::copy_file(fixture("good_model"), folder.file("good.so"));
  EXPECT_EQ(load_plugin(folder.file("good.so")).info.problem, "is not named recloom-<name>.so");
}

TEST(LoadPlugin, RefusesAFileThatItMayNotRead) {
  const testing::TemporaryFolder folder;
  const std::string file = folder.file("recloom-good_model.so");
  std::filesystem::copy_file(fixture("good_model"), file);
  std::filesystem::permissions(file, std::filesystem::perms::none);
  std::filesystem::permissions(
      folder.path(), std::filesystem::perms::others_exec | std::filesystem::perms::owner_all);
  // Nothing is closed to root: look at it as somebody else.
  const bool is_root = geteuid() == 0;
  if (is_root) {
    ASSERT_EQ(seteuid(65534), 0);
  }
  const std::string problem = load_plugin(file).info.problem;
  if (is_root) {
    ASSERT_EQ(seteuid(0), 0);
  }
  EXPECT_EQ(problem, "cannot open " + file + ": Permission denied");
}

}  // namespace
}  // namespace recloom
