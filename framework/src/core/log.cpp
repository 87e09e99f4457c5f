#include "recloom/core/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <string>

#include "core/text.hpp"

namespace recloom {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";

// Standard error is one for the whole process, so its bar is too.
class Terminal {
 public:
  static Terminal& instance() {
    static auto* terminal = new Terminal;  // Never destroyed: threads may log until the very end.
    return *terminal;
  }
  void line(LogLevel level, std::string_view text) {
    const std::lock_guard lock(mutex_);
    if (!bar_.empty()) raw(kClearLine);
    logger_.log(level == LogLevel::warning ? spdlog::level::warn : spdlog::level::info, "{}{}",
                level == LogLevel::warning ? "warning: " : "", visible(text));
    if (!bar_.empty()) raw(bar_);
  }
  void bar(std::string_view text) {
    const std::lock_guard lock(mutex_);
    if (!bar_.empty() || !text.empty()) raw(kClearLine);
    bar_ = visible(text);
    raw(bar_);
  }

 private:
  Terminal() : logger_("recloom", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_pattern("%v");
    logger_.set_level(spdlog::level::info);
    logger_.flush_on(spdlog::level::info);
    logger_.set_error_handler([](const std::string&) {});  // A closed log must not end a run.
  }
  static void raw(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  }

  std::mutex mutex_;
  std::string bar_;
  spdlog::logger logger_;
};

}  // namespace

void log(LogLevel level, std::string_view text) { Terminal::instance().line(level, text); }

void show_progress(std::string_view text) {
  if (stderr_is_terminal()) Terminal::instance().bar(text);
}

bool stderr_is_terminal() { return isatty(STDERR_FILENO) == 1; }

}  // namespace recloom
