#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "recloom/core/export.hpp"
#include "recloom/core/random.hpp"

namespace recloom {

/// What a run lends to everything it calls: randomness, threads, log, stop request.
/// Thread safety: all members may be called from any thread.
class RECLOOM_API RunContext {
 public:
  /// @param threads 0: as many as the machine has. Never changes a process-wide setting.
  /// @param stop a flag beside the context's own that requests a stop too, a signal handler's for
  /// example; must outlive the context. Null: none.
  explicit RunContext(std::uint64_t seed = 1, int threads = 0,
                      const std::atomic<bool>* stop = nullptr);
  ~RunContext();
  RunContext(const RunContext&) = delete;
  RunContext& operator=(const RunContext&) = delete;

  std::uint64_t seed() const noexcept;
  int threads() const noexcept;
  /// Return the generator of a purpose, keyed by (seed, purpose).
  Rng rng(std::string_view purpose) const noexcept;
  /// Call body(index) for 0..count-1 on all threads; body must write only what belongs to its
  /// index. An exception of a body is rethrown here (that of the smallest index that threw).
  /// @throws Interrupted a stop was requested before all indices were begun: the work is then
  /// incomplete.
  void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) const;
  /// The same for work that must not be left half done, such as an update in place: a stop request
  /// does not end it.
  void parallel_for_whole(std::size_t count, const std::function<void(std::size_t)>& body) const;

  void info(std::string_view text) const;     ///< One line on the log (standard error).
  void warning(std::string_view text) const;  ///< The same, marked as a warning.

  /// Ask the run to end at the next safe point, as Ctrl-C does. Async-signal safe.
  void request_stop() noexcept;
  bool stop_requested() const noexcept;
  /// @throws Interrupted if a stop was requested. For long work on one thread.
  void check_stop() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace recloom
