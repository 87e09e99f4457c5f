#pragma once
#include <array>
#include <cstdint>

namespace recloom {

/// Four words of counter and of output.
using PhiloxBlock = std::array<std::uint32_t, 4>;

/// Philox4x32 with ten rounds. Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"
/// (SC 2011), section 4.3.
constexpr PhiloxBlock philox4x32(PhiloxBlock counter, std::uint64_t key) {
  auto key0 = static_cast<std::uint32_t>(key);
  auto key1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key0,
               static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key1,
               static_cast<std::uint32_t>(product0)};
    key0 += 0x9E3779B9;  // golden ratio
    key1 += 0xBB67AE85;  // sqrt(3) - 1
  }
  return counter;
}

/// The same with the counter as two 64-bit numbers.
constexpr PhiloxBlock philox4x32(std::uint64_t low, std::uint64_t high, std::uint64_t key) {
  return philox4x32({static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(low >> 32),
                     static_cast<std::uint32_t>(high), static_cast<std::uint32_t>(high >> 32)},
                    key);
}

}  // namespace recloom
