#pragma once
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace recloom::testing {

/// Processes that run a function at the same time as the test, begin together and report lines.
class OtherProcesses {
 public:
  using Report = std::function<void(const std::string& line)>;

  OtherProcesses(int count, const std::function<void(int index, const Report& report)>& body) {
    int start[2];
    if (pipe(start) != 0 || pipe(lines_) != 0) throw std::runtime_error("no pipe");
    for (int index = 0; index < count; ++index) {
      const pid_t child = fork();
      if (child == 0) be_child(index, start, body);
      children_.push_back(child);
    }
    close(start[0]);
    close(start[1]);  // All begin.
    close(lines_[1]);
  }
  ~OtherProcesses() {
    kill_all();
    close(lines_[0]);
  }
  OtherProcesses(const OtherProcesses&) = delete;
  OtherProcesses& operator=(const OtherProcesses&) = delete;

  /// Wait for that many reports; fewer if all processes ended before.
  std::vector<std::string> reports(int count) {
    std::vector<std::string> all;
    std::string line;
    for (char c = 0; count > 0 && read(lines_[0], &c, 1) == 1;) {
      if (c != '\n') {
        line += c;
        continue;
      }
      all.push_back(line);
      line.clear();
      --count;
    }
    return all;
  }
  pid_t process(int index) const { return children_[static_cast<std::size_t>(index)]; }
  void kill_all() {
    for (const pid_t child : children_) kill(child, SIGKILL);
    for (const pid_t child : children_) waitpid(child, nullptr, 0);
    children_.clear();
  }

 private:
  [[noreturn]] void be_child(int index, const int* start,
                             const std::function<void(int, const Report&)>& body) const {
    const Report report = [this](const std::string& line) {
      const std::string whole = line + "\n";  // Short enough to be written at once.
      if (write(lines_[1], whole.data(), whole.size()) < 0) _exit(2);
    };
    close(start[1]);
    char none = 0;
    if (read(start[0], &none, 1) != 0) _exit(2);
    try {
      body(index, report);
    } catch (const std::exception& error) {
      report(error.what());
    }
    _exit(0);
  }

  int lines_[2];
  std::vector<pid_t> children_;
};

}  // namespace recloom::testing
