#pragma once
#include <cstdint>
#include <string_view>

#include "recloom/core/export.hpp"

namespace recloom {

/// Counter-based generator (Philox4x32-10, Salmon et al. 2011): a value type, fully determined by
/// its key. Never shared, never seeded from a clock.
class RECLOOM_API Rng {
 public:
  explicit Rng(std::uint64_t key) noexcept : key_(key) {}
  /// Return an independent generator for a purpose and an index (row, item, ...).
  Rng fork(std::string_view purpose, std::uint64_t index = 0) const noexcept;
  std::uint64_t bits() noexcept;                    ///< 64 random bits.
  double uniform() noexcept;                        ///< In [0, 1), 53 bits.
  std::int64_t below(std::int64_t bound) noexcept;  ///< In [0, bound), unbiased; bound >= 1.
  double normal() noexcept;                         ///< Mean 0, deviation 1.
  std::uint64_t key() const noexcept { return key_; }

 private:
  std::uint64_t key_;
  std::uint64_t counter_ = 0;
};

}  // namespace recloom
