#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "kernels/dnnl_compat.hpp"

namespace recloom::kernels {

/// Integers that say all about a primitive.
template <std::size_t N>
struct PrimitiveKey {
  std::array<std::int64_t, N> values{};
  friend bool operator==(const PrimitiveKey&, const PrimitiveKey&) = default;
  std::size_t hash() const noexcept {
    std::uint64_t h = 0x9E3779B97F4A7C15u;
    for (const std::int64_t v : values) {
      h = (h ^ static_cast<std::uint64_t>(v)) * 0xFF51AFD7ED558CCDu;
      h ^= h >> 32;
    }
    return h;
  }
};

/// Primitives of one kind in the process, the least recently used one forgotten first. Primitives
/// are immutable and may run in several threads at once, each with its own scratchpad.
template <class Key, class Value>
class PrimitiveCache {
 public:
  explicit PrimitiveCache(std::size_t capacity) : capacity_(capacity) {}

  template <class Make>
  std::shared_ptr<const Value> get(const Key& key, Make&& make) {
    const std::lock_guard lock(mutex_);
    if (const auto found = index_.find(key); found != index_.end()) {
      order_.splice(order_.begin(), order_, found->second);
      return order_.front().second;
    }
    auto value = std::make_shared<const Value>(make());
    if (order_.size() == capacity_) {
      index_.erase(order_.back().first);
      order_.pop_back();
    }
    order_.emplace_front(key, value);
    index_[key] = order_.begin();
    return value;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return order_.size();
  }

 private:
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept { return key.hash(); }
  };
  using Order = std::list<std::pair<Key, std::shared_ptr<const Value>>>;
  mutable std::mutex mutex_;
  std::size_t capacity_;
  Order order_;
  std::unordered_map<Key, typename Order::iterator, Hash> index_;
};

/// What a thread keeps of the primitives that it ran last: a table addressed by the key's hash, so
/// that a warm call takes no lock and allocates nothing.
template <class Key, class Call, std::size_t kSlots = 256>
class RecentCalls {
 public:
  template <class Make>
  Call& get(const Key& key, Make&& make) {
    std::unique_ptr<Call>& slot = slots_[key.hash() % kSlots];
    if (!slot || !(slot->key == key)) slot = std::make_unique<Call>(make());
    return *slot;
  }

 private:
  std::array<std::unique_ptr<Call>, kSlots> slots_;
};

}  // namespace recloom::kernels
