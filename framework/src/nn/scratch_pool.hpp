#pragma once
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "core/untouched.hpp"

namespace recloom::nn {

/// Memory that a task needs while it runs: as many blocks as tasks run at the same time. Thread
/// safe.
class ScratchPool {
 public:
  /// Call body(std::span<float>) with at least n floats of any content.
  template <class Body>
  void with(std::size_t n, Body body) {
    std::unique_ptr<UntouchedFloats> block = take(n);
    body(std::span<float>(block->data(), block->size()));
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(block));
  }

 private:
  std::unique_ptr<UntouchedFloats> take(std::size_t n) {
    std::unique_ptr<UntouchedFloats> block;
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        block = std::move(free_.back());
        free_.pop_back();
      }
    }
    if (block == nullptr || block->size() < n) block = std::make_unique<UntouchedFloats>(n);
    return block;
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<UntouchedFloats>> free_;
};

}  // namespace recloom::nn
