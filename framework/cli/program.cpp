// What commands share: plugins, the run context with its signals, standard output.
#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <system_error>

#include "cli/command.hpp"

namespace recloom::cli {
namespace {

// A signal may come at any time and in any thread: its handler sees these alone.
std::atomic<bool> stop = false;          ///< What a RunContext looks at.
std::atomic<bool> stops_itself = false;  ///< There is a RunContext.
std::atomic<std::int64_t> asked_at = 0;  ///< Of the first signal, in ms; 0: none.
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "signal handlers use it");

/// `timeout`, a closing terminal and some batch systems send a signal twice in one breath.
constexpr std::int64_t kSameRequest = 100;
constexpr unsigned kPatience = 5;  ///< Seconds.

std::int64_t milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

void say(std::string_view text) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

/// A plugin's code, or one very long call, may not look at the request.
extern "C" void on_alarm(int) {
  say("recloom: still at work on what cannot be cut short; a second signal ends it at once\n");
}

extern "C" void on_signal(int signal) {
  if (!stops_itself) {
    say("recloom: interrupted\n");
    _exit(kInterrupted);
  }
  std::int64_t before = 0;
  const std::int64_t now = milliseconds();
  if (asked_at.compare_exchange_strong(before, now)) {
    stop = true;
    alarm(kPatience);
  } else if (now - before >= kSameRequest) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}

/// What a terminal would obey is made visible, whoever printed it.
std::string for_terminal(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\n\t"), text.size());
    shown += display_text(text.substr(0, end));
    if (end < text.size()) shown += text[end];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return shown;
}

}  // namespace

void handle_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;  // Without SA_RESTART: what waits for a pipe ends.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    const bool nohup = signal == SIGHUP && before.sa_handler == SIG_IGN;
    if (!nohup) sigaction(signal, &action, nullptr);
  }
  action.sa_handler = on_alarm;
  sigaction(SIGALRM, &action, nullptr);
}

const PluginRegistry& Program::plugins() {
  if (!plugins_) plugins_ = std::make_unique<PluginRegistry>(common.plugin_path);
  return *plugins_;
}

RunContext& Program::start(std::uint64_t seed) {
  run_ = std::make_unique<RunContext>(seed, common.threads, &stop);
  stops_itself = true;
  return *run_;
}

std::uint64_t Program::seed() const { return common.seed.value_or(1); }

void Program::print(std::string_view text) {
  pending_ += text;
  if (pending_.size() > 1 << 16) flush();
}

void Program::print_line(std::string_view text) {
  print(text);
  print("\n");
}

void Program::flush() {
  if (isatty(STDOUT_FILENO) == 1) pending_ = for_terminal(pending_);
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const ssize_t written = write(STDOUT_FILENO, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) {
      if (stop) throw Interrupted("interrupted");
      continue;
    }
    if (written < 0 && errno == EPIPE) break;  // The reader has seen enough.
    if (written < 0)
      throw IoError(fmt::format("cannot write to standard output: {}",
                                std::generic_category().message(errno)));
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  pending_.clear();
}

}  // namespace recloom::cli
