#include "recloom/core/run_context.hpp"

#include <atomic>

#include "core/parallel.hpp"
#include "recloom/core/log.hpp"

namespace recloom {

struct RunContext::Impl {
  std::uint64_t seed;
  Workers workers;
  std::atomic<bool> stop = false;
  Impl(std::uint64_t seed_value, int threads) : seed(seed_value), workers(threads) {}
};
static_assert(std::atomic<bool>::is_always_lock_free, "request_stop is called by signal handlers");

RunContext::RunContext(std::uint64_t seed, int threads) : impl_(new Impl(seed, threads)) {}
RunContext::~RunContext() { delete impl_; }

std::uint64_t RunContext::seed() const noexcept { return impl_->seed; }
int RunContext::threads() const noexcept { return impl_->workers.threads(); }
Rng RunContext::rng(std::string_view purpose) const noexcept {
  return Rng(impl_->seed).fork(purpose);
}
void RunContext::parallel_for(std::size_t count,
                              const std::function<void(std::size_t)>& body) const {
  impl_->workers.parallel_for(count, body);
}
void RunContext::info(std::string_view text) const { log(LogLevel::info, text); }
void RunContext::warning(std::string_view text) const { log(LogLevel::warning, text); }
void RunContext::request_stop() noexcept { impl_->stop = true; }
bool RunContext::stop_requested() const noexcept { return impl_->stop; }

}  // namespace recloom
