#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "support/support.hpp"

namespace recloom::testing {

namespace fs = std::filesystem;

/// An installation that was moved after it was made.
class MovedPrefix : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    const std::string made = folder_->file("made");
    install_ = run_program({RECLOOM_CMAKE, "--install", binary_dir().string(), "--prefix", made});
    if (install_.exit_code == 0) fs::rename(made, prefix());
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  void SetUp() override { ASSERT_EQ(install_.exit_code, 0) << install_.out << install_.err; }
  static bool is_sanitized() { return std::string(RECLOOM_SANITIZERS) != ""; }

  static fs::path prefix() { return folder_->path() / "recloom"; }
  static ProgramResult recloom(std::vector<std::string> arguments,
                               const std::vector<std::string>& environment = {}) {
    arguments.insert(arguments.begin(), (prefix() / "bin/recloom").string());
    return run_program(arguments, environment, folder_->path().string());
  }

  /// Configure and build a project with nothing but the prefix. Returns its build folder.
  static std::string build_outside(const fs::path& project) {
    const std::string build = (project / "build").string();
    const ProgramResult configured =
        run_program({RECLOOM_CMAKE, "-S", project.string(), "-B", build,
                     "-DCMAKE_PREFIX_PATH=" + prefix().string()});
    EXPECT_EQ(configured.exit_code, 0) << configured.out << configured.err;
    const ProgramResult built = run_program({RECLOOM_CMAKE, "--build", build});
    EXPECT_EQ(built.exit_code, 0) << built.out << built.err;
    return build;
  }
  /// Run commands of a shell in the folder, which is HOME too, with the moved program in the PATH.
  static ProgramResult shell(const std::string& commands) {
    const std::string script = folder_->write("commands.sh", "set -euo pipefail\n" + commands);
    return run_program({"bash", script},
                       {"HOME=" + folder_->path().string(),
                        "PATH=" + (prefix() / "bin").string() + ":" + std::getenv("PATH")},
                       folder_->path().string());
  }

  inline static TemporaryFolder* folder_ = nullptr;
  inline static ProgramResult install_;
};

inline constexpr const char* kSanitizedReason =
    "code outside is built without the host's sanitizers";

}  // namespace recloom::testing
