#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "data/block_tokens.hpp"
#include "data/growing_array.hpp"
#include "data/token_table.hpp"

namespace recloom {

/// Tokens of one column of one block that the table did not know when the block was parsed.
struct BlockCodes {
  BlockTokens tokens;
  GrowingArray<TokenKey> by_shard;  ///< Keys, sorted by shard: what a shard needs is together.
  GrowingArray<std::int32_t> shard_codes;  ///< The block's codes of `by_shard`.
  GrowingArray<std::int32_t> code_of;      ///< [tokens.size()] the table's codes.
  GrowingArray<std::uint8_t> is_new;       ///< [tokens.size()] not in the table before this block.
  std::array<std::size_t, TokenTable::kShards + 1> shard_ends{};

  /// Sort by shard. To be called when the block has been parsed.
  void deal();
};

/// Adds the tokens of several blocks to a table in order of first appearance, as if they were
/// inserted one by one. Three steps, each for all blocks; find() and settle() may run for all
/// shards side by side.
class TokenMerger {
 public:
  TokenMerger(TokenTable& table, std::span<BlockCodes* const> blocks)
      : table_(table), blocks_(blocks) {}
  /// Find the codes of the tokens of one shard that the table knows, mark those that are new.
  void find(std::size_t shard);
  /// Return how many tokens are new, when all shards have been searched.
  std::size_t n_new() const noexcept;
  /// Give codes to new tokens.
  void append();
  /// Note the new codes of one shard in the table.
  void settle(std::size_t shard);

 private:
  /// A token of a block.
  struct Place {
    std::int32_t block, code;
  };
  struct New {
    TokenKey key;
    Place place;
    std::size_t slot;
  };
  struct Again {
    Place place;
    std::size_t which;  // Of the shard's new tokens.
  };
  /// Keys that are looked up at the same time, so that the waits for memory overlap.
  static constexpr std::size_t kAtOnce = 32;
  // Until it has a code, the n-th new token of a shard stands in its slot as -2 - n.
  static std::int32_t provisional(std::size_t n) { return -2 - static_cast<std::int32_t>(n); }
  static std::size_t number_of(std::int32_t code) { return static_cast<std::size_t>(-2 - code); }

  std::string_view text(Place place) const {
    return blocks_[static_cast<std::size_t>(place.block)]->tokens[place.code].view();
  }
  std::int32_t& code_of(Place place) const {
    return blocks_[static_cast<std::size_t>(place.block)]
        ->code_of[static_cast<std::size_t>(place.code)];
  }
  void find_one(std::size_t shard, const TokenKey& key, Place place);

  TokenTable& table_;
  std::span<BlockCodes* const> blocks_;
  std::array<std::vector<New>, TokenTable::kShards> new_;
  std::array<std::vector<Again>, TokenTable::kShards> again_;
};

}  // namespace recloom
