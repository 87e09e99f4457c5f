#include "plugin/probe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "recloom/core/error.hpp"
#include "recloom/plugin/registry.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr seconds kMinute{60};

std::string folder_of(const std::string& name) {
  return std::string(RECLOOM_HOSTILE_DIR) + "/" + name;
}
std::string file_of(const std::string& name) {
  return folder_of(name) + "/recloom-" + name + ".so";
}
std::string problem_of(const std::string& name, seconds limit = kMinute) {
  const std::vector<std::string> files = {file_of(name)};
  return probe_plugins(files, limit).front().problem;
}
/// Whether this process has the file open.
bool is_open(const std::string& name) {
  return testing::read_text("/proc/self/maps").find("recloom-" + name + ".so") != std::string::npos;
}

TEST(Probe, NamesWhatDoesHarmWhenItIsOpened) {
  EXPECT_EQ(problem_of("open_abort"), "crashes when it is opened (signal 6)");
  EXPECT_EQ(problem_of("open_exit"), "ends the process when it is opened (exit code 0)");
  EXPECT_EQ(problem_of("open_quick_exit"), "ends the process when it is opened (exit code 3)");
  EXPECT_EQ(problem_of("open_hang", seconds(1)), "does not come back within 1 s when it is opened");
}

TEST(Probe, ReadsWhatAPluginSaysOfItself) {
  const std::vector<std::string> files = {file_of("open_abort"), file_of("open_quietly"),
                                          "/nowhere"};
  const std::vector<PluginInfo> rows = probe_plugins(files, kMinute);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].name, "open_quietly");
  EXPECT_EQ(rows[1].file, files[1]);
  EXPECT_EQ(rows[1].version, "1.0.0");
  EXPECT_EQ(rows[1].kind, "model");
  EXPECT_EQ(rows[1].problem, "");
  EXPECT_EQ(rows[2].problem, "is not named recloom-<name>.so");
  EXPECT_FALSE(is_open("open_quietly"));
}

// One byte of a plugin after the other is another one: whatever the dynamic loader makes of it,
// this process lives.
TEST(Probe, SurvivesDamagedFiles) {
  const testing::TemporaryFolder folder;
  const std::string sound = testing::read_text(file_of("open_quietly"));
  const std::string file = folder.file("recloom-open_quietly.so");
  std::vector<std::string> files;
  for (std::size_t n = 0; n < 40; ++n) {
    std::string bytes = sound;
    bytes[64 + n * 613 % (bytes.size() - 64)] ^= static_cast<char>(1 << n % 8);
    const std::string of_this = "n" + std::to_string(n);
    std::filesystem::create_directory(folder.file(of_this));
    files.push_back(folder.write(of_this + "/recloom-open_quietly.so", bytes));
  }
  EXPECT_EQ(probe_plugins(files, kMinute).size(), files.size());
}

TEST(RegistryOfHostilePlugins, OpensWhatIsAskedForAlone) {
  const PluginRegistry plugins({folder_of("open_abort"), folder_of("open_exit"),
                                folder_of("open_quietly"), RECLOOM_FIXTURE_DIR});
  EXPECT_TRUE(plugins.has("open_abort"));
  EXPECT_FALSE(plugins.has("open_abrot"));
  EXPECT_EQ(plugins.names()[2], "open_quietly");
  EXPECT_TRUE(plugins.list()[2].usable());
  EXPECT_EQ(plugins.probe("open_quietly").version, "1.0.0");
  EXPECT_EQ(plugins.find("good_metric").version, "1.0.0");
  EXPECT_FALSE(is_open("open_quietly"));
  EXPECT_TRUE(is_open("good_metric"));
}

TEST(RegistryOfHostilePlugins, RefusesThemByName) {
  const PluginRegistry plugins({folder_of("open_abort"), folder_of("open_exit")});
  for (const auto& [name, problem] :
       {std::pair{"open_abort", "crashes when it is opened (signal 6)"},
        {"open_exit", "ends the process when it is opened"}}) {
    try {
      plugins.open(name);
      ADD_FAILURE() << name;
    } catch (const PluginError& error) {
      EXPECT_THAT(error.what(), HasSubstr("plugin '" + std::string(name) +
                                          "' cannot be used: " + file_of(name) + " " + problem));
    }
  }
}

}  // namespace
}  // namespace recloom
