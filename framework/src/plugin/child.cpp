#include "plugin/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>

#include "plugin/loader.hpp"
#include "plugin/running.hpp"
#include "recloom/core/error.hpp"
#include "recloom/plugin/abi.hpp"

namespace recloom {
namespace {

constexpr bool kInstrumented = std::string_view(RECLOOM_SANITIZER) != "none";

void append_size(std::string& bytes, std::size_t size) {
  const auto number = static_cast<std::uint32_t>(size);
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

/// Lengths first: of the whole, then of each text in front of it.
std::string packed(const Message& message) {
  std::string texts;
  for (const std::string& text : message) {
    append_size(texts, text.size());
    texts += text;
  }
  std::string bytes;
  append_size(bytes, texts.size());
  return bytes + texts;
}

/// Take a text off the front; false if there is no whole one.
bool take_text(std::string_view& bytes, std::string& text) {
  std::uint32_t size = 0;
  if (bytes.size() < sizeof size) return false;
  std::memcpy(&size, bytes.data(), sizeof size);
  if (bytes.size() - sizeof size < size) return false;
  text = bytes.substr(sizeof size, size);
  bytes.remove_prefix(sizeof size + size);
  return true;
}

void write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) _exit(0);  // Nobody listens any more.
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void limit(decltype(RLIMIT_CORE) what, std::size_t value) {
  rlimit limits{};
  getrlimit(what, &limits);
  limits.rlim_cur = std::min<rlim_t>(value, limits.rlim_max);
  setrlimit(what, &limits);
}

/// What the parent does at a signal is its own affair: let each take its course.
void forget_handlers() {
  for (const int signal :
       {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGALRM, SIGVTALRM, SIGPROF, SIGUSR1, SIGUSR2, SIGXCPU})
    ::signal(signal, SIG_DFL);
  if (!kInstrumented)  // A sanitizer's report says more than the number of a signal.
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

void redirect(bool quiet) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return;
  dup2(null, STDIN_FILENO);
  dup2(quiet ? null : STDERR_FILENO, STDOUT_FILENO);
  if (quiet && !kInstrumented) dup2(null, STDERR_FILENO);
}

[[noreturn]] void run_child(const std::function<void(const Child::Send&)>& body,
                            const ChildLimits& limits, int pipe, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
  forget_handlers();
  limit(RLIMIT_CORE, 0);
  if (limits.memory && !kInstrumented) limit(RLIMIT_DATA, *limits.memory);
  redirect(limits.quiet);
  leave_endings_to_the_parent();
  // exit() would run the parent's handlers and destructors: they would remove its files.
  on_exit([](int status, void*) { _exit(status); }, nullptr);
  try {
    body([pipe](const Message& message) { write_all(pipe, packed(message)); });
  } catch (...) {
    std::abort();
  }
  _exit(0);
}

}  // namespace

Child::Child(const std::function<void(const Send& send)>& body, const ChildLimits& limits) {
  std::fflush(nullptr);  // What waits to be printed must not be printed twice.
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    throw IoError(fmt::format("no pipe can be made: {}", std::generic_category().message(errno)));
  const pid_t parent = getpid();
  process_ = fork_between_openings();
  if (process_ == 0) run_child(body, limits, ends[1], parent);
  const int error = errno;
  close(ends[1]);
  pipe_ = ends[0];
  if (process_ > 0) return;
  close(pipe_);
  throw IoError(
      fmt::format("no child process can be made: {}", std::generic_category().message(error)));
}

Child::~Child() {
  if (!has_ended()) {
    kill(process_, SIGKILL);
    while (waitpid(process_, &status_, 0) < 0 && errno == EINTR) {
    }
  }
  close(pipe_);
}

bool Child::has_ended() {
  if (waited_) return true;
  pid_t result = 0;
  do result = waitpid(process_, &status_, WNOHANG);
  while (result < 0 && errno == EINTR);
  // Where somebody else waits for all children, how it ended is not to be known.
  waited_ = result != 0;
  status_known_ = result == process_;
  return waited_;
}

bool Child::take_message(Message& message) {
  std::string_view rest = received_;
  std::string texts;
  if (!take_text(rest, texts)) return false;
  message.clear();
  std::string_view left = texts;
  for (std::string text; take_text(left, text);) message.push_back(text);
  received_ = std::string(rest);
  return true;
}

bool Child::receive(int milliseconds) {
  pollfd waiting{pipe_, POLLIN, 0};
  if (poll(&waiting, 1, milliseconds) <= 0) return false;
  std::array<char, 4096> buffer;
  const ssize_t got = ::read(pipe_, buffer.data(), buffer.size());
  if (got > 0) received_.append(buffer.data(), static_cast<std::size_t>(got));
  if (got == 0 && !has_ended()) poll(nullptr, 0, 1);  // It closes the pipe just before its end.
  return got > 0;
}

Child::Reading Child::read(Message& message, Clock::time_point deadline) {
  while (!take_message(message)) {
    // Asked first: what a child has sent is in the pipe when it has ended. The end of the pipe says
    // nothing, since a process that it started may keep it open.
    const bool ended = has_ended();
    const std::int64_t left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (receive(ended ? 0 : static_cast<int>(std::clamp<std::int64_t>(left, 0, 50)))) continue;
    if (ended) return Reading::ended;
    if (left <= 0) return Reading::late;
  }
  return Reading::message;
}

std::string Child::ending(const std::string& when) {
  if (status_known_ && WIFSIGNALED(status_))
    return fmt::format("crashes {} (signal {})", when, WTERMSIG(status_));
  if (status_known_)
    return fmt::format("ends the process {} (exit code {})", when, WEXITSTATUS(status_));
  return fmt::format("ends the process {}", when);
}

}  // namespace recloom
