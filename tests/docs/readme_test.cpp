#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <regex>

#include "docs/markdown.hpp"
#include "support/support.hpp"

namespace recloom::testing {
namespace {

namespace fs = std::filesystem;

TEST(Readme, BlocksAreCutOut) {
  EXPECT_EQ(fenced_blocks("a\n```sh\nx\n```\n```text\ny\n```\n```sh\nz\n```\n", "sh"), "x\nz\n");
}

/// Run the commands of a page as they stand, from an empty folder, with the built program in the
/// PATH. Only `train` is cut short: what it prints is not judged here.
void run_commands_of(const std::string& page) {
  const std::string commands = fenced_blocks(read_text(source_dir() / page), "sh");
  ASSERT_NE(commands.find("recloom train"), std::string::npos) << page << " has no commands";
  const TemporaryFolder folder;
  const std::string script = folder.write("page.sh", R"(set -euo pipefail
recloom() {
  if [[ $1 == train ]]; then command recloom "$@" --max-steps 4; else command recloom "$@"; fi
}
)" + commands);
  const std::string path =
      "PATH=" + (binary_dir() / "bin").string() + ":" + std::string(std::getenv("PATH"));
  const ProgramResult run = run_program({"bash", script}, {path}, folder.path().string());
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
}

TEST(Readme, CommandsRun) { run_commands_of("README.md"); }
TEST(YourOwnLog, CommandsRun) { run_commands_of("docs/your_own_log.md"); }

/// A file's text with its plugin called walk, as in the tutorial.
std::string as_walk(const fs::path& file) {
  return std::regex_replace(read_text(file), std::regex("([wW]alk)[123]"), "$1");
}

// tests/install runs the commands of the tutorial and builds its examples.
TEST(Tutorial, ItsCodeIsThatOfTheExamples) {
  std::string examples;
  for (const char* step : {"walk1.cpp", "walk2.cpp", "walk3.cpp"})
    examples += as_walk(source_dir() / "examples/03_write_a_plugin" / step);
  const std::string page = read_text(source_dir() / "docs/writing_a_plugin.md");
  static const std::regex block("```cpp\n([^`]*)```");
  int blocks = 0;
  for (std::sregex_iterator match(page.begin(), page.end(), block), end; match != end; ++match) {
    ++blocks;
    EXPECT_NE(examples.find((*match)[1].str()), std::string::npos) << (*match)[1];
  }
  EXPECT_GT(blocks, 8);
}

TEST(Tutorial, BeginsWithWhatPluginsNewWrites) {
  std::string written =
      read_text(source_dir() / "framework/templates/plugin/network/plugin.cpp.in");
  written = std::regex_replace(written, std::regex("@name@"), "walk");
  written = std::regex_replace(written, std::regex("@Class@"), "Walk");
  EXPECT_EQ(as_walk(source_dir() / "examples/03_write_a_plugin/walk1.cpp"), written);
}

TEST(Documentation, LinksLeadSomewhere) {
  static const std::regex link(R"(\]\(([^)#]+)(#[^)]*)?\))");
  std::vector<fs::path> pages = {"README.md", "CONTRIBUTING.md", "CHANGELOG.md"};
  for (const char* folder : {"docs", "datasets", "examples", "plugins"})
    for (const auto& entry : fs::recursive_directory_iterator(source_dir() / folder))
      if (entry.path().extension() == ".md") pages.push_back(entry.path());
  for (const fs::path& page : pages) {
    const fs::path file = source_dir() / page;
    const std::string text = read_text(file);
    for (std::sregex_iterator match(text.begin(), text.end(), link), end; match != end; ++match) {
      const std::string target = (*match)[1];
      if (target.find("://") != std::string::npos) continue;
      EXPECT_TRUE(fs::exists(file.parent_path() / target)) << page << " links to " << target;
    }
  }
}

}  // namespace
}  // namespace recloom::testing
