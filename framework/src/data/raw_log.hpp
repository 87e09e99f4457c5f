#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/block_times.hpp"
#include "data/growing_array.hpp"
#include "data/token_table.hpp"
#include "recloom/data/read_summary.hpp"

namespace recloom {

/// What is known of users or items beside the log: the rows of a .user or .item file.
struct SideTable {
  std::vector<std::int32_t> codes;  ///< Distinct, in file order.
  std::vector<std::string> names;   ///< One per code, or empty.
};

/// Of which file of a given split a line is. Kept as std::uint8_t, with kOnlyHistory added to
/// events that stand in the history of a line and are no event of their own.
enum class LogPart : std::uint8_t { train, valid, test };
inline constexpr std::uint8_t kOnlyHistory = 4;
inline std::uint8_t code_of(LogPart part) noexcept { return static_cast<std::uint8_t>(part); }
inline LogPart part_of(std::uint8_t code) noexcept { return static_cast<LogPart>(code & 3); }

/// Histories that stand in the lines themselves.
struct LineHistories {
  GrowingArray<std::int32_t> lists;  ///< Number of each row's list; -1: it has none.
  std::vector<std::size_t> ends;     ///< Where each distinct list ends in `items`.
  GrowingArray<std::int32_t> items;  ///< Codes, oldest first.
};

/// A log in file order, coded by first appearance in the file.
struct RawLog {
  TokenTable user_tokens, item_tokens;
  GrowingArray<std::int32_t> users, items;
  GrowingArray<std::int64_t> times;  ///< Keys (time_key.hpp); empty if the file has no times.
  TimeScale time_scale;
  TimeKinds time_kinds;
  GrowingArray<std::uint8_t> passes;  ///< Value filters; empty: every row passes.
  GrowingArray<std::uint8_t> parts;   ///< LogPart; empty: the split is not given.
  std::optional<LineHistories> histories;
  std::optional<SideTable> user_table, item_table;
  ReadSummary summary;

  std::size_t size() const noexcept { return users.size(); }
  bool has_times() const noexcept { return !times.empty(); }
  /// No token can be looked up or inserted any more.
  void release_slots() noexcept {
    user_tokens.release_slots();
    item_tokens.release_slots();
  }
};

}  // namespace recloom
