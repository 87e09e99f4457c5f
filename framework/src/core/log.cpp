#include "recloom/core/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/columns.hpp"
#include "core/log_once.hpp"
#include "core/text.hpp"

namespace recloom {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";

/// The terminal's width now: it may have been resized. The last column stays free, since some
/// terminals begin a new line when it is written to.
std::size_t bar_columns() {
  constexpr std::size_t kUsual = 80;
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return (known ? size.ws_col : kUsual) - 1;
}

// Standard error is one for the whole process, so its bar is too.
class Terminal {
 public:
  static Terminal& instance() {
    static auto* terminal = new Terminal;  // Never destroyed: threads may log until the very end.
    return *terminal;
  }
  void line(LogLevel level, std::string_view text) {
    const std::lock_guard lock(mutex_);
    if (n_once_ > 0 && !said_.emplace(text).second) return;
    if (!bars_.empty()) raw(kClearLine);
    logger_.log(level == LogLevel::warning ? spdlog::level::warn : spdlog::level::info, "{}{}",
                level == LogLevel::warning ? "warning: " : "", visible(text));
    draw();
  }
  /// @param texts of which one is shown, from the longest to the shortest; none: no bar.
  void bar(std::vector<std::string> texts) {
    const std::lock_guard lock(mutex_);
    if (!bars_.empty() || !texts.empty()) raw(kClearLine);
    bars_ = std::move(texts);
    for (std::string& text : bars_) text = visible(text);
    draw();
  }
  /// @param begins else one of LogOnce ends.
  void once(bool begins) {
    const std::lock_guard lock(mutex_);
    n_once_ += begins ? 1 : -1;
    if (n_once_ == 0) said_.clear();
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
  void draw() const {
    if (bars_.empty()) return;
    const std::size_t columns = bar_columns();
    for (const std::string& text : bars_)
      if (columns_of(text) <= columns) return raw(text);
    raw(cut_to_columns(bars_.back(), columns));
  }

  std::mutex mutex_;
  std::vector<std::string> bars_;
  int n_once_ = 0;              // Objects of LogOnce.
  std::set<std::string> said_;  // While there is one.
  spdlog::logger logger_;
};

}  // namespace

void log(LogLevel level, std::string_view text) { Terminal::instance().line(level, text); }

LogOnce::LogOnce() { Terminal::instance().once(true); }
LogOnce::~LogOnce() { Terminal::instance().once(false); }

void show_progress(std::string_view text) {
  show_progress(text.empty() ? std::vector<std::string>() : std::vector{std::string(text)});
}
void show_progress(std::vector<std::string> texts) {
  if (stderr_is_terminal()) Terminal::instance().bar(std::move(texts));
}

// A dumb terminal cannot wipe a bar away.
bool stderr_is_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && !(term && std::string_view(term) == "dumb");
}

}  // namespace recloom
