#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/growing_array.hpp"
#include "data/token_table.hpp"

namespace recloom {

/// What is known of users or items beside the log: the rows of a .user or .item file.
struct SideTable {
  std::vector<std::int32_t> codes;  ///< Distinct, in file order.
  std::vector<std::string> names;   ///< One per code, or empty.
};

/// A log in file order, coded by first appearance in the file.
struct RawLog {
  TokenTable user_tokens, item_tokens;
  GrowingArray<std::int32_t> users, items;
  GrowingArray<std::int64_t> times;   ///< Keys (time_key.hpp); empty if the file has no times.
  bool real_times = false;            ///< Keys of real times, not integers.
  GrowingArray<std::uint8_t> passes;  ///< Value filters; empty: every row passes.
  std::optional<SideTable> user_table, item_table;

  std::size_t size() const noexcept { return users.size(); }
  bool has_times() const noexcept { return !times.empty(); }
};

}  // namespace recloom
