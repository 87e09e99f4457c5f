// What commands share: plugins, the run context with its signals, standard output.
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "cli/command.hpp"

namespace recloom::cli {
namespace {

std::atomic<RunContext*> running = nullptr;
std::atomic<bool> interrupted = false;

extern "C" void on_signal(int) {
  interrupted = true;
  if (RunContext* run = running) run->request_stop();
}

void handle(int signal) {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESETHAND | SA_RESTART;  // The second one kills.
  sigaction(signal, &action, nullptr);
}

}  // namespace

const PluginRegistry& Program::plugins() {
  if (!plugins_) plugins_ = std::make_unique<PluginRegistry>(common.plugin_path);
  return *plugins_;
}

RunContext& Program::start(std::uint64_t seed) {
  run_ = std::make_unique<RunContext>(seed, common.threads);
  running = run_.get();
  return *run_;
}

void Program::stop_on_signal() {
  handle(SIGINT);
  handle(SIGTERM);
}

std::uint64_t Program::seed() const { return static_cast<std::uint64_t>(common.seed.value_or(1)); }

bool Program::stop_requested() const { return interrupted; }

void Program::print(std::string_view text) {
  pending_ += text;
  if (pending_.size() > 1 << 16) flush();
}

void Program::print_line(std::string_view text) {
  print(text);
  print("\n");
}

void Program::flush() {
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const ssize_t written = write(STDOUT_FILENO, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EPIPE) break;  // The reader has seen enough.
    if (written < 0)
      throw IoError(fmt::format("cannot write to standard output: {}",
                                std::generic_category().message(errno)));
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  pending_.clear();
}

}  // namespace recloom::cli
