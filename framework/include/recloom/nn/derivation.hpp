#pragma once
#include <cstdint>
#include <functional>
#include <span>

#include "recloom/core/random.hpp"
#include "recloom/data/batch.hpp"

namespace recloom::nn {

/// Where the pads of a short history stand.
enum class Padding : std::int32_t { left, right };

/// For integer inputs that a model derives from a row: which row, and randomness that no schedule
/// can change.
struct Derivation {
  Row row;
  Rng rng;  ///< Keyed by (seed, epoch, row id).
  bool training;
};
using DeriveFunction = std::function<void(const Derivation&, std::span<std::int32_t> output)>;

}  // namespace recloom::nn
