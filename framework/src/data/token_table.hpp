#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace recloom {

/// What a table compares of a token. Up to 8 bytes it is the token itself, so that a look-up of a
/// usual id touches one slot and nothing else.
struct TokenKey {
  static constexpr std::size_t kShort = 8;

  std::uint64_t word = 0;  ///< The token's bytes, or a hash of a longer one.
  std::uint32_t size = 0;

  explicit TokenKey(std::string_view token) noexcept
      : size(static_cast<std::uint32_t>(token.size())) {
    const char* bytes = token.data();
    if (token.size() > kShort) {
      word = hash_long(token);
    } else if (size >= 4) {
      // Where the two loads overlap they agree.
      word = load(bytes, 4) | load(bytes + size - 4, 4) << (8 * (size - 4));
    } else if (size > 0) {
      const std::size_t middle = size / 2, last = size - 1;
      word = load(bytes, 1) | load(bytes + middle, 1) << (8 * middle) |
             load(bytes + last, 1) << (8 * last);
    }
  }
  bool is_short() const noexcept { return size <= kShort; }
  bool operator==(const TokenKey&) const = default;
  std::uint64_t hash() const noexcept {
    const std::uint64_t mixed = (word ^ size) * kMultiplier;
    return mixed ^ (mixed >> 32);
  }

 private:
  static constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15ULL;
  static std::uint64_t load(const char* from, std::size_t count) noexcept {
    std::uint64_t value = 0;
    std::memcpy(&value, from, count);
    return value;
  }
  static std::uint64_t hash_long(std::string_view token) noexcept {
    std::uint64_t hash = 0;
    const auto take = [&](std::size_t at) {
      hash = (hash ^ load(token.data() + at, 8)) * kMultiplier;
      hash ^= hash >> 29;
    };
    for (std::size_t at = 0; at + 8 < token.size(); at += 8) take(at);
    take(token.size() - 8);
    return hash;
  }
};

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
    return slots_.empty() ? kUnknown : slots_[slot_of(token, TokenKey(token))].code;
  }
  std::int32_t insert(std::string_view token) { return insert(token, TokenKey(token)); }
  std::int32_t insert(std::string_view token, const TokenKey& key) {
    if (2 * (size() + 1) > slots_.size()) enlarge();
    Slot& slot = slots_[slot_of(token, key)];
    if (slot.code == kUnknown) {
      slot = {key.word, key.size, static_cast<std::int32_t>(size())};
      characters_.append(token);
      ends_.push_back(characters_.size());
    }
    return slot.code;
  }
  void clear() {
    ends_.clear();
    characters_.clear();
    slots_.assign(slots_.size(), Slot());
  }

 private:
  struct Slot {
    std::uint64_t word = 0;
    std::uint32_t size = 0;
    std::int32_t code = kUnknown;  // Unknown: the slot is free.
  };

  /// Return the slot of this token, or the free one where it belongs.
  std::size_t slot_of(std::string_view token, const TokenKey& key) const noexcept {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = key.hash() & mask;
    for (; slots_[at].code != kUnknown; at = (at + 1) & mask) {
      const Slot& slot = slots_[at];
      if (slot.word != key.word || slot.size != key.size) continue;
      if (key.is_short() || (*this)[slot.code] == token) break;
    }
    return at;
  }
  void enlarge() {
    std::vector<Slot> old(slots_.empty() ? 64 : 2 * slots_.size());
    old.swap(slots_);
    const std::size_t mask = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.code == kUnknown) continue;
      std::size_t at = TokenKey((*this)[slot.code]).hash() & mask;
      while (slots_[at].code != kUnknown) at = (at + 1) & mask;
      slots_[at] = slot;
    }
  }

  std::vector<Slot> slots_;
  std::vector<std::size_t> ends_;
  std::string characters_;
};

}  // namespace recloom
