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

// The commands of README.md run as they stand, from an empty folder, with the built program in the
// PATH. Only `train` is cut short: what it prints is not judged here.
TEST(Readme, CommandsRun) {
  const std::string commands = fenced_blocks(read_text(source_dir() / "README.md"), "sh");
  ASSERT_NE(commands.find("recloom train"), std::string::npos) << "README.md has no commands";
  const TemporaryFolder folder;
  const std::string script = folder.write("readme.sh", R"(set -euo pipefail
recloom() {
  if [[ $1 == train ]]; then command recloom "$@" --max-steps 4; else command recloom "$@"; fi
}
)" + commands);
  const std::string path =
      "PATH=" + (binary_dir() / "bin").string() + ":" + std::string(std::getenv("PATH"));
  const ProgramResult run = run_program({"bash", script}, {path}, folder.path().string());
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
}

TEST(Documentation, LinksLeadSomewhere) {
  static const std::regex link(R"(\]\(([^)#]+)(#[^)]*)?\))");
  std::vector<fs::path> pages = {"README.md", "CONTRIBUTING.md", "CHANGELOG.md"};
  for (const char* folder : {"docs", "datasets", "plugins"})
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
