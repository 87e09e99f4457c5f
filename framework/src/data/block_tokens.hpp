#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "data/growing_array.hpp"
#include "data/token_table.hpp"

namespace recloom {

/// A token where it stands in a block of text.
struct TokenRef {
  TokenKey key;
  const char* text = nullptr;
  std::string_view view() const noexcept { return {text, key.size}; }
};

/// The distinct tokens of one column of one block, coded 0, 1, 2, ... by first appearance. They are
/// not copied: their text must stay in memory. Small, so that a parser finds it in the cache.
class BlockTokens {
 public:
  /// Forget everything.
  void clear() {
    if (refs_.empty() && !slots_.empty()) return;
    refs_.clear();
    slots_.assign(std::max(kLeastSlots, slots_.size()), Slot());
  }
  /// Return the token's code; one that is new gets size() - 1.
  std::int32_t insert(std::string_view token, const TokenKey& key) {
    const auto hash = static_cast<std::uint32_t>(key.hash());
    std::size_t at = hash & (slots_.size() - 1);
    for (; slots_[at].code >= 0; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].hash == hash && is_token(slots_[at].code, token, key)) return slots_[at].code;
    }
    const auto code = static_cast<std::int32_t>(refs_.size());
    slots_[at] = {hash, code};
    refs_.push_back({key, token.data()});
    if (2 * refs_.size() > slots_.size()) enlarge();
    return code;
  }
  std::size_t size() const noexcept { return refs_.size(); }
  const TokenRef& operator[](std::int32_t code) const noexcept {
    return refs_[static_cast<std::size_t>(code)];
  }
  bool is_token(std::int32_t code, std::string_view token, const TokenKey& key) const noexcept {
    const TokenRef& ref = (*this)[code];
    return ref.key == key && (key.is_short() || ref.view() == token);
  }

 private:
  static constexpr std::size_t kLeastSlots = 1024;
  struct Slot {
    std::uint32_t hash = 0;
    std::int32_t code = -1;  // Negative: the slot is free.
  };

  void enlarge() {
    const std::size_t mask = 2 * slots_.size() - 1;
    slots_.assign(mask + 1, Slot());
    for (std::size_t code = 0; code < refs_.size(); ++code) {
      const auto hash = static_cast<std::uint32_t>(refs_[code].key.hash());
      std::size_t at = hash & mask;
      while (slots_[at].code >= 0) at = (at + 1) & mask;
      slots_[at] = {hash, static_cast<std::int32_t>(code)};
    }
  }

  GrowingArray<TokenRef> refs_;
  std::vector<Slot> slots_;
};

}  // namespace recloom
