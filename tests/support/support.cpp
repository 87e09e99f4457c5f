#include "support/support.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace recloom::testing {
namespace fs = std::filesystem;

fs::path source_dir() { return RECLOOM_SOURCE_DIR; }
fs::path binary_dir() { return RECLOOM_BINARY_DIR; }

fs::path golden_dir(std::string_view kind) {
  const char* given = std::getenv("RECLOOM_GOLDEN_DIR");
  return (given && *given ? fs::path(given) : source_dir() / "tests/data/golden") / kind;
}

fs::path shared_dataset(std::string_view file) {
  const char* given = std::getenv("RECLOOM_DATA_DIR");
  const fs::path base =
      given && *given ? fs::path(given) : source_dir() / ".." / "shared" / "datasets";
  const fs::path path = base / file;
  return fs::exists(path) ? path : fs::path();
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "recloom-test-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder: " + pattern);
  path_ = pattern;
}
TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}
std::string TemporaryFolder::write(std::string_view name, std::string_view content) const {
  const fs::path file = path_ / name;
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << content;
  return file.string();
}

namespace {

/// Start a program with its standard streams in files.
pid_t start(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
            const std::string& folder, const std::string& out, const std::string& err) {
  std::vector<char*> argv;
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child != 0) return child;
  if (!folder.empty() && chdir(folder.c_str()) != 0) _exit(126);
  for (const std::string& e : environment) putenv(const_cast<char*>(e.c_str()));
  dup2(open("/dev/null", O_RDONLY), 0);
  dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
  dup2(open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
  execvp(argv[0], argv.data());
  _exit(127);
}

int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

ProgramResult run_program(const std::vector<std::string>& arguments,
                          const std::vector<std::string>& environment, const std::string& folder) {
  return RunningProgram(arguments, folder, environment).result();
}

RunningProgram::RunningProgram(const std::vector<std::string>& arguments, const std::string& folder,
                               const std::vector<std::string>& environment)
    : child_(start(arguments, environment, folder, capture_.file("out"), capture_.file("err"))) {}
RunningProgram::~RunningProgram() {
  if (!runs()) return;
  signal(SIGKILL);
  wait();
}
void RunningProgram::end(int status) {
  ended_ = true;
  exit_code_ = exit_code_of(status);
}
bool RunningProgram::runs() {
  int status = 0;
  if (!ended_ && waitpid(child_, &status, WNOHANG) == child_) end(status);
  return !ended_;
}
void RunningProgram::signal(int number) const { kill(child_, number); }
bool RunningProgram::wait_until_stopped() {
  int status = 0;
  if (ended_ || waitpid(child_, &status, WUNTRACED) != child_) return false;
  if (WIFSTOPPED(status)) return true;
  end(status);
  return false;
}
int RunningProgram::wait() {
  int status = 0;
  if (!ended_ && waitpid(child_, &status, 0) == child_) end(status);
  return exit_code_;
}
ProgramResult RunningProgram::result() {
  wait();
  return {exit_code_, read_text(capture_.file("out")), read_text(capture_.file("err"))};
}

std::string read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace recloom::testing
