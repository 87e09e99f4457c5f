#include "testing/concurrency.hpp"

#include <pthread.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "testing/subject.hpp"

namespace recloom::conformance {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr int kStops = 100;
constexpr int kStopSignal = SIGUSR2;
/// A caller may hold a lock that the others want.
constexpr milliseconds kLongestStop{10};

std::atomic<std::int64_t> calls_made = 0;
std::atomic<int> stops_made = 0;

/// Runs on top of a call, wherever it is: waits until others have begun a call and ended it.
extern "C" void stop_here(int) {
  const int error = errno;
  const std::int64_t enough = calls_made.load() + static_cast<std::int64_t>(kCallers);
  const auto end = std::chrono::steady_clock::now() + kLongestStop;
  while (calls_made.load() < enough && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(microseconds(20));
  ++stops_made;
  errno = error;
}

class StopSignal {
 public:
  StopSignal() {
    struct sigaction action {};
    action.sa_handler = stop_here;
    action.sa_flags = SA_RESTART;
    sigaction(kStopSignal, &action, &before_);
  }
  ~StopSignal() { sigaction(kStopSignal, &before_, nullptr); }
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

 private:
  struct sigaction before_ {};
};

std::string call(const std::function<std::string(std::size_t)>& body, std::size_t caller) {
  try {
    return body(caller);
  } catch (...) {
    return current_problem();
  }
}

}  // namespace

std::string concurrently(const std::function<std::string(std::size_t caller)>& body) {
  const StopSignal stops;
  std::array<std::string, kCallers> problems;
  std::atomic<bool> enough = false;
  std::vector<std::jthread> callers;
  for (std::size_t caller = 0; caller < kCallers; ++caller)
    callers.emplace_back([&, caller] {
      while (!enough) {
        problems[caller] = call(body, caller);
        if (!problems[caller].empty()) enough = true;
        ++calls_made;
      }
    });
  for (int stop = 0; stop < kStops && !enough; ++stop) {
    const int before = stops_made;
    pthread_kill(callers[static_cast<std::size_t>(stop) % kCallers].native_handle(), kStopSignal);
    while (stops_made == before && !enough) std::this_thread::sleep_for(microseconds(50));
  }
  enough = true;
  callers.clear();
  for (std::string& problem : problems)
    if (!problem.empty()) return problem;
  return "";
}

}  // namespace recloom::conformance
