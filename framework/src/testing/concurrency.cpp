#include "testing/concurrency.hpp"

#include <pthread.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <semaphore>
#include <thread>
#include <vector>

#include "testing/check.hpp"

namespace recloom::conformance {
namespace {

using Body = std::function<std::string(std::size_t caller)>;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr int kRounds = 4, kStopSignal = SIGUSR2;
constexpr std::size_t kFewestStops = 50, kMostStops = 600;
constexpr milliseconds kLongest{500};  ///< Unless a busy machine allows few stops in it.
/// Who is stopped may hold a lock that the other wants. If that happens often, it always does.
constexpr milliseconds kLongestStop{200};
constexpr int kMostInVain = 5;

// Between who is stopped, the other, and who stops.
std::counting_semaphore<1000> stopped{0}, overtaken{0}, going_on{0};
std::atomic<int> in_vain = 0;

/// Runs on top of a call, wherever that is.
extern "C" void stop_here(int) {
  const int error = errno;
  stopped.release();
  if (!overtaken.try_acquire_for(kLongestStop)) ++in_vain;
  going_on.release();
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

/// What one thread found wrong: the first of it.
class Problem {
 public:
  explicit operator bool() const { return found_; }
  const std::string& text() const { return text_; }
  void call(const Body& body, std::size_t caller) {
    if (found_) return;
    try {
      text_ = body(caller);
    } catch (...) {
      text_ = current_problem();
    }
    found_ = !text_.empty();
  }

 private:
  std::string text_;
  std::atomic<bool> found_ = false;
};

std::string all_at_once(const Body& body) {
  std::array<Problem, kCallers> problems;
  {
    std::vector<std::jthread> callers;
    for (std::size_t caller = 0; caller < kCallers; ++caller)
      callers.emplace_back([&, caller] {
        for (int round = 0; round < kRounds; ++round) problems[caller].call(body, caller);
      });
  }
  for (const Problem& problem : problems)
    if (problem) return problem.text();
  return "";
}

std::string one_in_the_middle(const Body& body) {
  const StopSignal signal;
  Problem of_one, of_other;
  std::atomic<std::size_t> stops = 0, calls = 0;
  std::atomic<bool> enough = false;
  const auto found = [&] { return of_one || of_other; };
  std::jthread other([&] {
    for (stopped.acquire(); !enough; stopped.acquire()) {
      for (int call = 0; call < 2; ++call) of_other.call(body, (stops + 3) % kCallers);
      overtaken.release();
    }
  });
  std::jthread one([&] {
    for (; !enough; ++calls) of_one.call(body, stops % kCallers);
  });
  in_vain = 0;
  const auto end = std::chrono::steady_clock::now() + kLongest;
  const auto goes_on = [&] {
    return stops < kFewestStops || (stops < kMostStops && std::chrono::steady_clock::now() < end);
  };
  for (; goes_on() && in_vain < kMostInVain && !found(); ++stops) {
    // On a busy machine it may not have gone on yet, and would be stopped where it was.
    for (const std::size_t before = calls; calls == before;)
      std::this_thread::sleep_for(microseconds(20 + 37 * stops % 150));
    pthread_kill(one.native_handle(), kStopSignal);
    going_on.acquire();
  }
  enough = true;
  one.join();
  stopped.release();
  other.join();
  return of_one ? of_one.text() : of_other.text();
}

}  // namespace

std::string concurrently(const Body& body) {
  std::string problem = all_at_once(body);
  return problem.empty() ? one_in_the_middle(body) : problem;
}

}  // namespace recloom::conformance
