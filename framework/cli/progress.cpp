#include "cli/progress.hpp"

#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "cli/table.hpp"

namespace recloom::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kBarPause = std::chrono::milliseconds(100);
constexpr auto kLinePause = std::chrono::seconds(10);

class Reporter {
 public:
  Reporter(std::string title, std::string valid_metric)
      : title_(std::move(title)), valid_metric_(std::move(valid_metric)) {}

  void progress(const TrainProgress& at) {
    const bool terminal = stderr_is_terminal();
    if (terminal ? !due(kBarPause) : !due(kLinePause)) return;
    if (terminal)
      show_bar(at);
    else
      log(LogLevel::info,
          fmt::format("{} epoch {}/{}  {:3.0f} %  loss {:.4f}  {} rows/s  {} left in "
                      "epoch",
                      title_, at.epoch, at.epochs, 100 * share(at), at.loss, rate(at),
                      duration(at.eta_seconds)));
  }

  void epoch(const EpochReport& epoch) {
    if (!stderr_is_terminal()) last_ = Clock::now();
    std::string text = fmt::format("{} epoch {}  loss {:.4f}", title_, epoch.epoch, epoch.loss);
    if (epoch.penalty != 0) text += fmt::format(" + {:.4f}", epoch.penalty);
    if (const auto watched = epoch.valid.find(valid_metric_); watched != epoch.valid.end())
      text += fmt::format("  valid {} {}", watched->first, metric_text(watched->second));
    log(LogLevel::info,
        text + fmt::format("  {}{}", duration(epoch.seconds), epoch.best ? "  best so far" : ""));
  }

 private:
  bool due(Clock::duration pause) {
    const auto now = Clock::now();
    if (now - last_ < pause) return false;
    last_ = now;
    return true;
  }
  static double share(const TrainProgress& at) {
    return at.rows_in_epoch > 0
               ? static_cast<double>(at.rows) / static_cast<double>(at.rows_in_epoch)
               : 1.0;
  }
  static std::string rate(const TrainProgress& at) {
    return grouped(std::llround(at.rows_per_second));
  }
  void show_bar(const TrainProgress& at) const {
    constexpr int kWidth = 12;
    const int done = static_cast<int>(share(at) * kWidth);
    const std::string epoch = fmt::format("{:.16} {}/{}", title_, at.epoch, at.epochs);
    const std::string percent = fmt::format("{} {:3.0f} %", epoch, 100 * share(at));
    const std::string eta = duration(at.eta_seconds);
    show_progress({fmt::format("{} [{:=<{}}{:<{}}] loss {:.4f}  {} rows/s  {}", epoch, "", done, "",
                               kWidth - done, at.loss, rate(at), eta),
                   fmt::format("{} loss {:.4f}  {} rows/s  {}", percent, at.loss, rate(at), eta),
                   fmt::format("{} loss {:.4f}  {}", percent, at.loss, eta),
                   fmt::format("{} {}", percent, eta), percent});
  }

  std::string title_, valid_metric_;
  Clock::time_point last_ = Clock::now();
};

}  // namespace

TrainCallbacks progress_callbacks(const std::string& title, const std::string& valid_metric) {
  const auto reporter = std::make_shared<Reporter>(title, valid_metric);
  TrainCallbacks callbacks;
  callbacks.on_progress = [reporter](const TrainProgress& at) { reporter->progress(at); };
  callbacks.on_epoch = [reporter](const EpochReport& epoch) { reporter->epoch(epoch); };
  return callbacks;
}

void CountProgress::show(std::int64_t done, double share) {
  const bool terminal = stderr_is_terminal();
  const auto now = Clock::now();
  if (now - last_ < (terminal ? Clock::duration(kBarPause) : Clock::duration(kLinePause))) return;
  last_ = now;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  const std::string count = fmt::format("{} {}", grouped(done), things_);
  const std::string rate =
      fmt::format("{}  {}/s", count, grouped(std::llround(static_cast<double>(done) / seconds)));
  const std::string left = share > 0 ? fmt::format("  {:3.0f} %  {} left", 100 * share,
                                                   duration(seconds * (1 - share) / share))
                                     : "";
  if (terminal)
    show_progress({rate + left, rate, count});
  else
    log(LogLevel::info, rate + left);
}

std::string duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds);
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

}  // namespace recloom::cli
