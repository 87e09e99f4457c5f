#include "recloom/core/random.hpp"

#include <cmath>
#include <numbers>

#include "core/hash.hpp"
#include "core/philox.hpp"

namespace recloom {
namespace {

std::uint64_t join(std::uint32_t low, std::uint32_t high) {
  return low | static_cast<std::uint64_t>(high) << 32;
}

double unit_interval(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

// Counters of forks lie apart from those of draws, so that no fork repeats its parent's numbers.
constexpr std::uint64_t kForkCounter = 0x666F726BULL << 32;

}  // namespace

Rng Rng::fork(std::string_view purpose, std::uint64_t index) const noexcept {
  const PhiloxBlock block = philox4x32(index, kForkCounter, hash64(purpose, key_));
  return Rng(join(block[0], block[1]));
}

std::uint64_t Rng::bits() noexcept {
  const PhiloxBlock block = philox4x32(counter_++, 0, key_);
  return join(block[0], block[1]);
}

double Rng::uniform() noexcept { return unit_interval(bits()); }

// Lemire, "Fast random integer generation in an interval" (2019), algorithm 5.
std::int64_t Rng::below(std::int64_t bound) noexcept {
  __extension__ using Wide = unsigned __int128;
  const auto range = static_cast<std::uint64_t>(bound);
  Wide product = static_cast<Wide>(bits()) * range;
  if (static_cast<std::uint64_t>(product) < range) {
    const std::uint64_t threshold = (0 - range) % range;
    while (static_cast<std::uint64_t>(product) < threshold)
      product = static_cast<Wide>(bits()) * range;
  }
  return static_cast<std::int64_t>(product >> 64);
}

// Box and Muller (1958), one of the pair: a value type keeps no spare number.
double Rng::normal() noexcept {
  const PhiloxBlock block = philox4x32(counter_++, 0, key_);
  const double radius = 1.0 - unit_interval(join(block[0], block[1]));  // in (0, 1]
  const double angle = unit_interval(join(block[2], block[3]));
  return std::sqrt(-2.0 * std::log(radius)) * std::cos(2.0 * std::numbers::pi * angle);
}

}  // namespace recloom
