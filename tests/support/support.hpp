#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// What tests share: where data lies, temporary folders, running programs.
namespace recloom::testing {

/// Folder of the source tree, for tests/data and datasets/.
std::filesystem::path source_dir();
/// Folder of the build tree: bin/recloom, lib/recloom/plugins.
std::filesystem::path binary_dir();
/// Folder with golden cases of a kind (models, data, metrics): below RECLOOM_GOLDEN_DIR if that is
/// set, else tests/data/golden. Read when the test runs.
std::filesystem::path golden_dir(std::string_view kind);
/// A log that may not be shipped, below RECLOOM_DATA_DIR (default ../shared/datasets beside the
/// repository); empty if it is not there: the test then skips with a message.
std::filesystem::path shared_dataset(std::string_view file);

/// A new empty folder, removed with its contents at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string file(std::string_view name) const { return (path_ / name).string(); }
  /// Write a file into it and return its path.
  std::string write(std::string_view name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

struct ProgramResult {
  int exit_code = -1;  ///< 128 + signal if it was killed.
  std::string out, err;
};
/// Run a program and wait. @param environment "NAME=value" entries added to this process's.
ProgramResult run_program(const std::vector<std::string>& arguments,
                          const std::vector<std::string>& environment = {},
                          const std::string& folder = "");

/// A program that runs on while the test goes on; killed at the end if it still runs.
class RunningProgram {
 public:
  RunningProgram(const std::vector<std::string>& arguments, const std::string& folder,
                 const std::vector<std::string>& environment = {});
  ~RunningProgram();
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;
  bool runs();
  void signal(int number) const;
  /// Wait until it is stopped (SIGSTOP) or has ended. @return whether it is stopped.
  bool wait_until_stopped();
  /// Wait for its end. @return its exit code, 128 + signal if it was killed.
  int wait();
  /// Wait for its end. @return that and what it has written.
  ProgramResult result();
  int process() const { return child_; }

 private:
  void end(int status);

  TemporaryFolder capture_;
  int child_ = -1;
  int exit_code_ = -1;
  bool ended_ = false;
};

std::string read_text(const std::filesystem::path& file);

}  // namespace recloom::testing
