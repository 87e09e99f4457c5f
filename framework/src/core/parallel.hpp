#pragma once
#include <cstddef>
#include <functional>
#include <memory>

#include "recloom/core/export.hpp"

namespace recloom {

/// Threads of one run: an arena of its own, so that no setting of the process changes. The one
/// place that knows TBB.
class RECLOOM_API Workers {
 public:
  /// @param threads 0: as many as the machine has. @throws ModelError the system refuses some.
  explicit Workers(int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  int threads() const noexcept;
  /// Call body(index) for 0..count-1; which thread gets which index is open. Inside body, oneDNN
  /// and OpenMP are limited to one thread. An exception of the smallest throwing index is rethrown.
  void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace recloom
