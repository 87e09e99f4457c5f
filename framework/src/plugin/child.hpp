#pragma once
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "recloom/core/export.hpp"

namespace recloom {

/// Some texts, of any bytes.
using Message = std::vector<std::string>;

/// What a child process may do.
struct ChildLimits {
  bool quiet = true;  ///< It prints nothing; else what it prints goes to standard error.
  /// Bytes that it may hold, RLIMIT_DATA. Not in instrumented builds.
  std::optional<std::size_t> memory = std::nullopt;
};

/// A child process: a copy of this one, with the calling thread alone, that does what may crash,
/// end the process or never come back, and sends messages about it. It dies with this process and
/// leaves no core file. Not to be used by several threads at a time.
class RECLOOM_API Child {
 public:
  using Send = std::function<void(const Message&)>;
  using Clock = std::chrono::steady_clock;

  /// Start it. @param body runs in the child, which ends afterwards without running destructors or
  /// exit handlers. @throws IoError if the system gives no process.
  explicit Child(const std::function<void(const Send& send)>& body, const ChildLimits& limits = {});
  /// Kills it if it still runs.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  enum class Reading { message, ended, late };
  /// Wait for the next message until the child has ended or the time is over.
  Reading read(Message& message, Clock::time_point deadline);
  /// Return how it ended: "crashes (signal 11)", "ends the process (exit code 0)"; only after
  /// read() has returned `ended`. @param when "when it is opened"
  std::string ending(const std::string& when);

 private:
  bool take_message(Message& message);
  bool receive(int milliseconds);  ///< Whether anything came.
  bool has_ended();

  pid_t process_ = -1;
  int pipe_ = -1, status_ = 0;
  bool waited_ = false, status_known_ = false;
  std::string received_;
};

}  // namespace recloom
