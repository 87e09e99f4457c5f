#include "plugin/running.hpp"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/text.hpp"
#include "recloom/plugin/running.hpp"

namespace recloom {
namespace {

constexpr int kPluginError = 4;

thread_local const PluginInfo* running_here = nullptr;
// Threads of a pool run a plugin's code for the thread that set them to work.
std::atomic<const PluginInfo*> running_first = nullptr;

/// The plugin whose code this thread may be in; null if there is none.
const PluginInfo* running_plugin() {
  if (running_here != nullptr) return running_here;
  return gettid() == getpid() ? nullptr : running_first.load();
}

/// In a handler of a signal nothing else is allowed.
void write_texts(std::initializer_list<std::string_view> texts) {
  for (const std::string_view text : texts)
    if (write(STDERR_FILENO, text.data(), text.size()) < 0) return;
}

bool is_child = false;

void on_process_exit(int status, void*) {
  const PluginInfo* plugin = running_plugin();
  if (plugin == nullptr || is_child) return;
  write_texts({"recloom: plugin '", printable(plugin->name), "' (", printable(plugin->file, 400),
               ") called exit(", std::to_string(status), ") before it was done\n"});
  _exit(kPluginError);
}

extern "C" void on_fatal_signal(int signal) {
  const PluginInfo* plugin = running_plugin();
  if (plugin != nullptr && !is_child) {
    const std::array<char, 2> digits{static_cast<char>('0' + signal / 10),
                                     static_cast<char>('0' + signal % 10)};
    std::string_view number(digits.data(), digits.size());
    if (signal < 10) number.remove_prefix(1);
    write_texts({"recloom: crashed (signal ", number, ") while plugin '", plugin->name, "' (",
                 plugin->file, ") was running\n"});
  }
  raise(signal);  // Its handler was reset: as soon as this one returns, it takes its course.
}

}  // namespace

// Metrics pass here for every row: what is shared is read, not written, by all but the first.
Running::Running(const PluginInfo& plugin)
    : before_(running_here), is_first_(running_first.load() == nullptr) {
  [[maybe_unused]] static const int registered = on_exit(on_process_exit, nullptr);
  running_here = &plugin;
  if (is_first_) running_first = &plugin;
}

Running::~Running() {
  running_here = before_;
  if (is_first_) running_first = nullptr;
}

void leave_endings_to_the_parent() { is_child = true; }

void name_plugins_in_crashes() {
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    struct sigaction action {};
    sigaction(signal, nullptr, &action);
    if (action.sa_handler != SIG_DFL) continue;
    action.sa_handler = on_fatal_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(signal, &action, nullptr);
  }
}

}  // namespace recloom
