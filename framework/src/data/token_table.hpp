#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace recloom {

/// Hash a short token. Tokens are mostly shorter than 16 bytes: two overlapping 8-byte loads and
/// two multiplications cover those.
inline std::uint64_t token_hash(std::string_view token) noexcept {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15ULL;
  const char* bytes = token.data();
  const std::size_t size = token.size();
  const auto load = [](const char* from, std::size_t count) {
    std::uint64_t value = 0;
    std::memcpy(&value, from, count);
    return value;
  };
  const auto mix = [](std::uint64_t value) {
    value *= kMultiplier;
    return value ^ (value >> 29);
  };
  std::uint64_t hash = size * kMultiplier;
  if (size <= 8) {
    // Two loads of at most 4 bytes each, overlapping where the token is shorter.
    if (size >= 4) {
      hash = mix(hash ^ load(bytes, 4) ^ (load(bytes + size - 4, 4) << 32));
    } else if (size > 0) {
      const auto byte = [&](std::size_t at) {
        return static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[at]));
      };
      hash = mix(hash ^ byte(0) ^ (byte(size / 2) << 8) ^ (byte(size - 1) << 16));
    }
  } else {
    std::size_t at = 0;
    for (; at + 8 < size; at += 8) hash = mix(hash ^ load(bytes + at, 8));
    hash = mix(hash ^ load(bytes + size - 8, 8));
  }
  return hash ^ (hash >> 32);
}

/// Distinct tokens <-> codes 0, 1, 2, ... in order of insertion. No allocation for a known token.
class TokenTable {
 public:
  static constexpr std::int32_t kUnknown = -1;

  std::size_t size() const noexcept { return ends_.size(); }
  std::string_view operator[](std::int32_t code) const noexcept {
    const auto at = static_cast<std::size_t>(code);
    const std::size_t begin = at == 0 ? 0 : ends_[at - 1];
    return {characters_.data() + begin, ends_[at] - begin};
  }
  std::int32_t find(std::string_view token) const noexcept {
    if (slots_.empty()) return kUnknown;
    return code_of(slots_[slot_of(token, token_hash(token))]);
  }
  std::int32_t insert(std::string_view token) {
    if (2 * (size() + 1) > slots_.size()) enlarge();
    const std::uint64_t hash = token_hash(token);
    std::uint64_t& slot = slots_[slot_of(token, hash)];
    if (slot == kFree) {
      characters_.append(token);
      ends_.push_back(characters_.size());
      slot = entry(hash, size());
    }
    return code_of(slot);
  }
  void clear() {
    ends_.clear();
    characters_.clear();
    slots_.assign(slots_.size(), kFree);
  }

 private:
  // A slot is 0 if free, else the upper half of the hash and code + 1 below it.
  static constexpr std::uint64_t kFree = 0;
  static std::uint64_t entry(std::uint64_t hash, std::size_t code_plus_1) noexcept {
    return (hash & 0xFFFFFFFF00000000ULL) | code_plus_1;
  }
  static std::int32_t code_of(std::uint64_t slot) noexcept {
    return static_cast<std::int32_t>(slot & 0xFFFFFFFFULL) - 1;
  }
  std::size_t slot_of(std::string_view token, std::uint64_t hash) const noexcept {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    while (slots_[at] != kFree) {
      const bool same_hash = (slots_[at] ^ hash) >> 32 == 0;
      if (same_hash && (*this)[code_of(slots_[at])] == token) break;
      at = (at + 1) & mask;
    }
    return at;
  }
  void enlarge() {
    slots_.assign(slots_.empty() ? 64 : 2 * slots_.size(), kFree);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t code = 0; code < size(); ++code) {
      const std::uint64_t hash = token_hash((*this)[static_cast<std::int32_t>(code)]);
      std::size_t at = hash & mask;
      while (slots_[at] != kFree) at = (at + 1) & mask;
      slots_[at] = entry(hash, code + 1);
    }
  }

  std::vector<std::uint64_t> slots_;
  std::vector<std::size_t> ends_;
  std::string characters_;
};

}  // namespace recloom
