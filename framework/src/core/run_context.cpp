#include "recloom/core/run_context.hpp"

#include <atomic>

#include "core/parallel.hpp"
#include "recloom/core/error.hpp"
#include "recloom/core/log.hpp"

namespace recloom {

struct RunContext::Impl {
  std::uint64_t seed;
  Workers workers;
  std::atomic<bool> stop = false;
  const std::atomic<bool>* outer_stop;
  Impl(std::uint64_t seed_value, int threads, const std::atomic<bool>* outer)
      : seed(seed_value), workers(threads), outer_stop(outer) {}
};
static_assert(std::atomic<bool>::is_always_lock_free, "request_stop is called by signal handlers");

RunContext::RunContext(std::uint64_t seed, int threads, const std::atomic<bool>* stop)
    : impl_(std::make_unique<Impl>(seed, threads, stop)) {}
RunContext::~RunContext() = default;

std::uint64_t RunContext::seed() const noexcept { return impl_->seed; }
int RunContext::threads() const noexcept { return impl_->workers.threads(); }
Rng RunContext::rng(std::string_view purpose) const noexcept {
  return Rng(impl_->seed).fork(purpose);
}
void RunContext::parallel_for(std::size_t count,
                              const std::function<void(std::size_t)>& body) const {
  impl_->workers.parallel_for(count, [&](std::size_t index) {
    check_stop();
    body(index);
  });
}
void RunContext::parallel_for_whole(std::size_t count,
                                    const std::function<void(std::size_t)>& body) const {
  impl_->workers.parallel_for(count, body);
}
void RunContext::info(std::string_view text) const { log(LogLevel::info, text); }
void RunContext::warning(std::string_view text) const { log(LogLevel::warning, text); }
void RunContext::request_stop() noexcept { impl_->stop = true; }
bool RunContext::stop_requested() const noexcept {
  return impl_->stop || (impl_->outer_stop != nullptr && *impl_->outer_stop);
}
void RunContext::check_stop() const {
  if (stop_requested()) throw Interrupted("interrupted");
}

}  // namespace recloom
