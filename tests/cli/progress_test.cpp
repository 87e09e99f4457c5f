// What a run shows of its progress: on a terminal of any width, and elsewhere.
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/program_test.hpp"

namespace recloom::testing {
namespace {

/// A terminal that keeps what is written to it.
class Terminal {
 public:
  explicit Terminal(unsigned short columns)
      : descriptor_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    EXPECT_GE(descriptor_, 0);
    EXPECT_EQ(grantpt(descriptor_), 0);
    EXPECT_EQ(unlockpt(descriptor_), 0);
    resize(columns);
    // Kept open, so that what was written can be read when the program has ended.
    slave_ = open(name().c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  }
  ~Terminal() {
    close(slave_);
    close(descriptor_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  std::string name() const { return ptsname(descriptor_); }
  void resize(unsigned short columns) {
    const winsize size{24, columns, 0, 0};
    EXPECT_EQ(ioctl(descriptor_, TIOCSWINSZ, &size), 0);
  }
  /// Take what came until nothing comes for a while.
  std::string take(int milliseconds) {
    std::string text;
    pollfd waiting{descriptor_, POLLIN, 0};
    while (text.size() < kMost && poll(&waiting, 1, milliseconds) > 0) {
      char bytes[4096];
      const ssize_t count = read(descriptor_, bytes, sizeof bytes);
      if (count <= 0) break;
      text.append(bytes, static_cast<std::size_t>(count));
    }
    return text;
  }

 private:
  static constexpr std::size_t kMost = 1 << 14;  ///< A program that never pauses must not hold it.
  int descriptor_, slave_ = -1;
};

/// Bars that were drawn: what stands between two carriage returns, without lines of the log.
std::vector<std::string> bars_of(const std::string& text) {
  std::vector<std::string> bars;
  const std::string clear = "\r\x1b[K";
  for (std::size_t at = text.find(clear); at != std::string::npos;) {
    const std::size_t begin = at + clear.size();
    at = text.find(clear, begin);
    const std::string bar = text.substr(begin, at == std::string::npos ? at : at - begin);
    if (!bar.empty() && bar.find('\n') == std::string::npos) bars.push_back(bar);
  }
  return bars;
}

/// Lines that say anything but how far an epoch has come, which a slow machine alone does.
int lines_between(const std::string& text) {
  std::istringstream in(text);
  int count = 0;
  for (std::string line; std::getline(in, line);)
    count += line.find(" left in epoch") == std::string::npos;
  return count;
}

class Progress : public ProgramTest {
 protected:
  std::string command(const std::string& terminal) {
    folder.write("log.inter", toy_log(400, 50, 30));
    return (binary_dir() / "bin/recloom").string() +
           " train log.inter --model gru4rec --epochs 100000 --run-dir run --set train.eval_every=0"
           " > /dev/null 2> " +
           terminal;
  }
};

TEST_F(Progress, FitsTheTerminalAlsoWhenItIsResized) {
  Terminal terminal(100);
  RunningProgram program({"/bin/sh", "-c", "exec " + command(terminal.name())},
                         folder.path().string(), {"TERM=xterm"});
  std::size_t widest = 0;
  for (const unsigned short columns : {100, 60, 33, 12}) {
    terminal.resize(columns);
    // However slow the machine: a program that draws nothing more is ended by the test's limit. The
    // first bars may be of the old width, as many as were under way; the last one may not be whole.
    constexpr std::size_t kEnough = 4, kMostBars = 100;
    std::string text;
    std::vector<std::string> bars;
    const auto fits = [&](const std::string& bar) { return bar.size() < columns; };
    const auto enough = [&] {
      return bars.size() > kMostBars ||
             (bars.size() > kEnough && std::all_of(bars.end() - kEnough - 1, bars.end() - 1, fits));
    };
    while (program.runs() && !enough()) {
      text += terminal.take(100);
      bars = bars_of(text);
    }
    ASSERT_TRUE(enough()) << columns;
    for (auto bar = bars.end() - kEnough - 1; bar != bars.end() - 1; ++bar) {
      EXPECT_LT(bar->size(), columns) << *bar;
      widest = std::max(widest, bar->size());
      EXPECT_EQ(bar->substr(0, 7), "gru4rec");
    }
  }
  EXPECT_GT(widest, 50U);
  program.signal(SIGKILL);
}

TEST_F(Progress, IsALineAnEpochElsewhere) {
  folder.write("log.inter", toy_log());
  const ProgramResult trained = recloom({"train", "log.inter", "--model", "gru4rec", "--epochs",
                                         "5", "--run-dir", "run", "--set", "train.eval_every=0"});
  EXPECT_EQ(trained.exit_code, 0);
  EXPECT_EQ(lines_between(trained.err), 6) << trained.err;  // The first: how the log was read.
  for (int epoch = 1; epoch <= 5; ++epoch)
    EXPECT_THAT(trained.err, ::testing::HasSubstr("epoch " + std::to_string(epoch) + "  loss"));
}

TEST_F(Progress, IsPlainOnADumbTerminal) {
  Terminal terminal(80);
  folder.write("log.inter", toy_log());
  EXPECT_EQ(
      run_program({"/bin/sh", "-c",
                   (binary_dir() / "bin/recloom").string() +
                       " train log.inter --model gru4rec --epochs 3 --run-dir run > /dev/null "
                       "2> " +
                       terminal.name()},
                  {"TERM=dumb"}, folder.path().string())
          .exit_code,
      0);
  const std::string text = terminal.take(50);
  EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr("\x1b")));
  EXPECT_EQ(lines_between(text), 4) << text;  // The first: how the log was read.
}

}  // namespace
}  // namespace recloom::testing
