#include "data/token_merger.hpp"

#include <algorithm>

namespace recloom {

void BlockCodes::deal() {
  const std::size_t n = tokens.size();
  const auto key = [&](std::size_t code) -> const TokenKey& {
    return tokens[static_cast<std::int32_t>(code)].key;
  };
  shard_ends.fill(0);
  for (std::size_t code = 0; code < n; ++code) ++shard_ends[TokenTable::shard_of(key(code)) + 1];
  for (std::size_t at = 1; at < shard_ends.size(); ++at) shard_ends[at] += shard_ends[at - 1];
  by_shard.clear();
  shard_codes.clear();
  code_of.clear();
  is_new.clear();
  TokenKey* keys = by_shard.extend(n);
  std::int32_t* codes = shard_codes.extend(n);
  code_of.extend(n);
  std::fill_n(is_new.extend(n), n, std::uint8_t{0});
  std::array<std::size_t, TokenTable::kShards> next{};
  std::copy_n(shard_ends.begin(), next.size(), next.begin());
  for (std::size_t code = 0; code < n; ++code) {
    const std::size_t at = next[TokenTable::shard_of(key(code))]++;
    keys[at] = key(code);
    codes[at] = static_cast<std::int32_t>(code);
  }
}

void TokenMerger::find_one(std::size_t shard, const TokenKey& key, Place place) {
  TokenSlots& slots = table_.shard(shard);
  const auto is_it = [&](std::int32_t code) {
    if (key.is_short()) return true;
    return text(place) == (code >= 0 ? table_[code] : text(new_[shard][number_of(code)].place));
  };
  const std::size_t slot = slots.find(key, is_it);
  const std::int32_t code = slots[slot].code;
  if (code >= 0) {
    code_of(place) = code;
  } else if (code != TokenSlots::kFree) {
    again_[shard].push_back({place, number_of(code)});
  } else {
    slots.fill(slot, key, provisional(new_[shard].size()));
    new_[shard].push_back({key, place, slot});
    const auto block = static_cast<std::size_t>(place.block);
    blocks_[block]->is_new[static_cast<std::size_t>(place.code)] = 1;
  }
}

void TokenMerger::find(std::size_t shard) {
  TokenSlots& slots = table_.shard(shard);
  for (std::size_t block = 0; block < blocks_.size(); ++block) {
    const BlockCodes& from = *blocks_[block];
    const std::size_t begin = from.shard_ends[shard], end = from.shard_ends[shard + 1];
    slots.reserve(end - begin);
    for (std::size_t at = begin; at < std::min(begin + kAtOnce, end); ++at) {
      slots.prefetch(from.by_shard[at]);
    }
    for (std::size_t at = begin; at < end; ++at) {
      if (at + kAtOnce < end) slots.prefetch(from.by_shard[at + kAtOnce]);
      find_one(shard, from.by_shard[at], {static_cast<std::int32_t>(block), from.shard_codes[at]});
    }
  }
}

std::size_t TokenMerger::n_new() const noexcept {
  std::size_t count = 0;
  for (const std::vector<New>& tokens : new_) count += tokens.size();
  return count;
}

void TokenMerger::append() {
  for (BlockCodes* block : blocks_) {
    for (std::size_t code = 0; code < block->is_new.size(); ++code) {
      if (block->is_new[code] == 0) continue;
      block->code_of[code] = table_.append(block->tokens[static_cast<std::int32_t>(code)].view());
    }
  }
}

void TokenMerger::settle(std::size_t shard) {
  TokenSlots& slots = table_.shard(shard);
  for (std::size_t n = 0; n < new_[shard].size(); ++n) {
    const New& added = new_[shard][n];
    std::size_t slot = added.slot;
    if (slots[slot].code != provisional(n)) {  // Slots have moved since.
      slot = slots.find(added.key, [&](std::int32_t code) { return code == provisional(n); });
    }
    slots[slot].code = code_of(added.place);
  }
  for (const Again& again : again_[shard]) {
    code_of(again.place) = code_of(new_[shard][again.which].place);
  }
}

}  // namespace recloom
