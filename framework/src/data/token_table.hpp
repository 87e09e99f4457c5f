#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "data/growing_array.hpp"

namespace recloom {

/// What a table compares of a token. Up to 16 bytes it is the token itself, so that a look-up of a
/// usual id touches one slot and nothing else.
struct TokenKey {
  static constexpr std::size_t kShort = 16;

  std::uint64_t low = 0, high = 0;  ///< The token's bytes; of a longer one a hash and its end.
  std::uint32_t size = 0;

  TokenKey() = default;
  explicit TokenKey(std::string_view token) noexcept
      : size(static_cast<std::uint32_t>(token.size())) {
    const char* bytes = token.data();
    if (size > kShort) {
      low = hash_long(token);
      high = load<std::uint64_t>(bytes + size - 8);
    } else if (size > 8) {
      low = load<std::uint64_t>(bytes);
      high = load<std::uint64_t>(bytes + size - 8) >> (8 * (16 - size));
    } else if (size >= 4) {
      // Where the two loads overlap they agree.
      low = load<std::uint32_t>(bytes) | load<std::uint32_t>(bytes + size - 4) << (8 * (size - 4));
    } else if (size > 0) {
      const std::size_t middle = size / 2, last = size - 1;
      low = load<std::uint8_t>(bytes) | load<std::uint8_t>(bytes + middle) << (8 * middle) |
            load<std::uint8_t>(bytes + last) << (8 * last);
    }
  }
  /// The key of a token behind which 16 bytes from its begin on may be read, without a branch on
  /// its size.
  static TokenKey in_text(std::string_view token) noexcept {
    if (token.size() > kShort) return TokenKey(token);
    TokenKey key;
    const std::size_t bits = 8 * token.size();
    const std::uint64_t all = ~std::uint64_t{0};
    const std::uint64_t low_mask = bits >= 64 ? all : ~(all << (bits & 63));
    const std::uint64_t high_mask = bits >= 128 ? all : bits <= 64 ? 0 : ~(all << (bits & 63));
    key.low = load<std::uint64_t>(token.data()) & low_mask;
    key.high = load<std::uint64_t>(token.data() + 8) & high_mask;
    key.size = static_cast<std::uint32_t>(token.size());
    return key;
  }
  bool is_short() const noexcept { return size <= kShort; }
  bool operator==(const TokenKey&) const = default;
  std::uint64_t hash() const noexcept { return mix(low ^ kFirst, high ^ kSecond ^ size); }

 private:
  static constexpr std::uint64_t kFirst = 0xA0761D6478BD642FULL, kSecond = 0xE7037ED1A0B428DBULL;

  template <class T>
  static std::uint64_t load(const char* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  /// Both halves of a 128-bit product, folded: every bit of the result depends on all bits.
  static std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using Product = unsigned __int128;
    const Product product = static_cast<Product>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  static std::uint64_t hash_long(std::string_view token) noexcept {
    std::uint64_t hash = kSecond;
    const auto take = [&](std::size_t at) {
      hash = mix(hash ^ load<std::uint64_t>(token.data() + at), kFirst);
    };
    for (std::size_t at = 0; at + 8 < token.size(); at += 8) take(at);
    take(token.size() - 8);
    return hash;
  }
};

/// Open addressing from a key to a number; what the number means, and whether tokens with equal
/// keys are equal, is for the caller to say. Grows by halves, since doubling would leave a table of
/// millions half empty.
class TokenSlots {
 public:
  static constexpr std::int32_t kFree = -1;

  struct Slot {
    std::uint64_t low = 0, high = 0;
    std::uint32_t size = 0;
    std::int32_t code = kFree;
    bool has(const TokenKey& key) const noexcept {
      return low == key.low && high == key.high && size == key.size;
    }
  };

  std::size_t size() const noexcept { return used_; }
  bool empty() const noexcept { return slots_.empty(); }
  Slot& operator[](std::size_t at) noexcept { return slots_[at]; }
  const Slot& operator[](std::size_t at) const noexcept { return slots_[at]; }
  /// Where the search for a key begins.
  std::size_t home(const TokenKey& key) const noexcept { return home(key, slots_.size()); }
  /// Bring the first slots of a search into the cache: they may lie in two lines. Inlined always:
  /// g++ takes a call of a function that does nothing else for one without effect, and drops it.
  [[gnu::always_inline]] void prefetch(const TokenKey& key) const noexcept {
    const Slot* slot = slots_.data() + home(key);
    __builtin_prefetch(slot);
    __builtin_prefetch(reinterpret_cast<const char*>(slot) + 2 * sizeof(Slot) - 1);
  }
  /// Return the slot of this key for which is_it(code) holds, or the free one where it belongs.
  template <class IsIt>
  std::size_t find(const TokenKey& key, const IsIt& is_it) const noexcept {
    std::size_t at = home(key);
    while (slots_[at].code != kFree && !(slots_[at].has(key) && is_it(slots_[at].code))) {
      at = next(at);
    }
    return at;
  }
  std::size_t next(std::size_t at) const noexcept { return at + 1 == slots_.size() ? 0 : at + 1; }
  /// Fill a free slot.
  void fill(std::size_t at, const TokenKey& key, std::int32_t code) noexcept {
    slots_[at] = {key.low, key.high, key.size, code};
    ++used_;
  }
  /// Make room for so many keys more. Slots move.
  void reserve(std::size_t more) {
    const std::size_t needed = used_ + more;
    if (4 * needed <= 3 * slots_.size() && !slots_.empty()) return;
    std::size_t size = slots_.empty() ? 16 : slots_.size();
    while (4 * needed > 3 * size) size += size / 2;
    std::vector<Slot> larger;
    larger.reserve(size);
    want_large_pages(larger.data(), size * sizeof(Slot));
    larger.resize(size);
    for (const Slot& slot : slots_) {
      if (slot.code == kFree) continue;
      TokenKey key;
      key.low = slot.low;
      key.high = slot.high;
      key.size = slot.size;
      std::size_t at = home(key, size);
      while (larger[at].code != kFree) at = at + 1 == size ? 0 : at + 1;
      larger[at] = slot;
    }
    slots_ = std::move(larger);
  }

 private:
  /// The top bits of a hash choose a shard (TokenTable), those below them the slot.
  static std::size_t home(const TokenKey& key, std::size_t size) noexcept {
    __extension__ using Product = unsigned __int128;
    return static_cast<std::size_t>((static_cast<Product>(key.hash() << 2) * size) >> 64);
  }

  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

/// Distinct tokens <-> codes 0, 1, 2, ... in order of insertion. No allocation for a known token.
/// Split into shards by hash, so that threads can look up many tokens side by side
/// (token_merger.hpp).
class TokenTable {
 public:
  static constexpr std::int32_t kUnknown = -1;
  static constexpr std::size_t kShards = 4;

  TokenTable() {
    ends_.want_large_pages_when_grown();
    characters_.want_large_pages_when_grown();
  }

  std::size_t size() const noexcept { return ends_.size(); }
  std::string_view operator[](std::int32_t code) const noexcept {
    const auto at = static_cast<std::size_t>(code);
    const std::size_t begin = at == 0 ? 0 : ends_[at - 1];
    return {characters_.data() + begin, ends_[at] - begin};
  }
  std::int32_t find(std::string_view token) const noexcept { return find(token, TokenKey(token)); }
  std::int32_t find(std::string_view token, const TokenKey& key) const noexcept {
    const TokenSlots& slots = shards_[shard_of(key)];
    return slots.empty() ? kUnknown : slots[slot_of(slots, key, token)].code;
  }
  std::int32_t insert(std::string_view token) {
    const TokenKey key(token);
    TokenSlots& slots = shards_[shard_of(key)];
    slots.reserve(1);
    const std::size_t at = slot_of(slots, key, token);
    if (slots[at].code == kUnknown) slots.fill(at, key, append(token));
    return slots[at].code;
  }
  /// Forget how tokens are found: nothing may be looked up or inserted any more.
  void release_slots() noexcept { shards_ = {}; }

  /// Bring a key's slot into the cache, for a look-up soon after.
  [[gnu::always_inline]] void prefetch(const TokenKey& key) const noexcept {
    shards_[shard_of(key)].prefetch(key);
  }

  static std::size_t shard_of(const TokenKey& key) noexcept { return key.hash() >> 62; }
  TokenSlots& shard(std::size_t index) noexcept { return shards_[index]; }
  /// Give a token the next code, without a slot.
  std::int32_t append(std::string_view token) {
    std::memcpy(characters_.extend(token.size()), token.data(), token.size());
    ends_.push_back(characters_.size());
    return static_cast<std::int32_t>(size() - 1);
  }

 private:
  std::size_t slot_of(const TokenSlots& slots, const TokenKey& key,
                      std::string_view token) const noexcept {
    return slots.find(key,
                      [&](std::int32_t code) { return key.is_short() || (*this)[code] == token; });
  }

  std::array<TokenSlots, kShards> shards_;
  GrowingArray<std::size_t> ends_;
  GrowingArray<char> characters_;
};

static_assert(TokenTable::kShards == std::size_t{1} << 2, "a shard is the top 2 bits of a hash");

}  // namespace recloom
