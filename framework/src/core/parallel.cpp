#include "core/parallel.hpp"

#include <fmt/format.h>
#ifdef _OPENMP
#include <omp.h>
#endif
#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#ifdef RECLOOM_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
#endif

#include <atomic>
#include <exception>
#include <latch>
#include <limits>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "recloom/core/error.hpp"

namespace recloom {
namespace {

/// Keeps OpenMP (and so oneDNN's OpenMP build) on one thread, for the calling thread alone, and
/// puts its setting back at the end: the thread may be the host's, or a worker that TBB lends to
/// others.
class SingleThreaded {
 public:
#ifdef _OPENMP
  SingleThreaded() : before_(omp_get_max_threads()) {
    if (before_ != 1) omp_set_num_threads(1);
  }
  ~SingleThreaded() {
    if (before_ != 1) omp_set_num_threads(before_);
  }

 private:
  int before_;
#else
  SingleThreaded() {}
#endif
 public:
  SingleThreaded(const SingleThreaded&) = delete;
  SingleThreaded& operator=(const SingleThreaded&) = delete;
};

/// Keeps the exception of the smallest index. Larger indices may be skipped once there is one;
/// smaller ones never are, so which exception it is does not depend on timing.
class FirstFailure {
 public:
  bool skips(std::size_t index) const { return index > index_.load(std::memory_order_relaxed); }
  void record(std::size_t index, std::exception_ptr exception) {
    const std::lock_guard lock(mutex_);
    if (index >= index_) return;
    index_ = index;
    exception_ = std::move(exception);
  }
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::atomic<std::size_t> index_ = std::numeric_limits<std::size_t>::max();
  std::exception_ptr exception_;
  std::mutex mutex_;
};

/// Lets TBB start more threads than there are cores, for the time of one call and only where that
/// is asked for: a lower limit that a host has set stays in force, since TBB takes the least of
/// all.
class EnoughThreads {
 public:
  explicit EnoughThreads(int threads) {
    constexpr auto kLimit = tbb::global_control::max_allowed_parallelism;
    const auto wanted = static_cast<std::size_t>(threads);
    if (wanted > tbb::global_control::active_value(kLimit)) control_.emplace(kLimit, wanted);
  }

 private:
  std::optional<tbb::global_control> control_;
};

/// TBB ends the process if the system refuses it a thread, so as many are tried out before.
void require_threads(int count) {
  static std::atomic<int> granted = 1;
  if (count <= granted) return;
  std::latch all_there(1);
  std::vector<std::thread> threads;
  bool refused = false;
  try {
    for (int thread = 1; thread < count; ++thread)
      threads.emplace_back([&all_there] { all_there.wait(); });
  } catch (const std::system_error&) {
    refused = true;
  }
  const std::size_t had = threads.size() + 1;
  all_there.count_down();
  for (std::thread& thread : threads) thread.join();
  if (refused)
    throw ModelError(
        fmt::format("the system grants {} of {} threads: lower --threads, or raise the limit on "
                    "processes or memory (ulimit -u, -v)",
                    had, count));
  granted = count;
}

/// Tells ThreadSanitizer, which does not see into TBB, what TBB guarantees: what was done before a
/// give() is there after a take().
class Handover {
 public:
#ifdef RECLOOM_THREAD_SANITIZER
  void give() { __tsan_release(this); }
  void take() { __tsan_acquire(this); }
#else
  void give() {}
  void take() {}
#endif
};

}  // namespace

struct Workers::Impl {
  int threads;
  tbb::task_arena arena;
  explicit Impl(int count)
      : threads(count > 0 ? count : tbb::info::default_concurrency()), arena(threads) {}
};

Workers::Workers(int threads) : impl_(std::make_unique<Impl>(threads)) {}
Workers::~Workers() = default;
int Workers::threads() const noexcept { return impl_->threads; }

void Workers::parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) {
  if (count == 0) return;
  if (count == 1 || impl_->threads == 1) {
    const SingleThreaded guard;
    for (std::size_t index = 0; index < count; ++index) body(index);
    return;
  }
  require_threads(impl_->threads);
  const EnoughThreads enough(impl_->threads);
  FirstFailure failure;
  Handover work, results;
  const auto run = [&](const tbb::blocked_range<std::size_t>& range) {
    work.take();
    const SingleThreaded guard;
    for (std::size_t index = range.begin(); index < range.end(); ++index) {
      if (failure.skips(index)) break;
      try {
        body(index);
      } catch (...) {
        failure.record(index, std::current_exception());
      }
    }
    results.give();
  };
  work.give();
  // Isolated: a body that waits for an inner loop must not start another outer index meanwhile,
  // which would find this thread's scratch memory in use.
  impl_->arena.execute([&] {
    tbb::this_task_arena::isolate(
        [&] { tbb::parallel_for(tbb::blocked_range<std::size_t>(0, count), run); });
  });
  results.take();
  failure.rethrow();
}

}  // namespace recloom
