#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "data/growing_array.hpp"
#include "data/raw_log.hpp"
#include "data/token_table.hpp"
#include "recloom/core/run_context.hpp"

namespace recloom {

/// Read the histories of lines. @param file as messages show it. @param texts the distinct cells
/// that hold them: items parted by blanks, oldest first, or lists in brackets ([1, 2], ['a', 'b']).
/// @param lists which of them each row has. @param items takes their items.
/// @throws DataError there are too many items; commas part them; Interrupted.
LineHistories parse_histories(const std::string& file, const TokenTable& texts,
                              GrowingArray<std::int32_t> lists, TokenTable& items,
                              const RunContext& run);

/// The items of a row's history, oldest first.
std::span<const std::int32_t> items_of(const LineHistories& histories, std::size_t row);

/// Replace each row by the events of its history, marked kOnlyHistory, and itself. The log's parts
/// are known; afterwards it has no histories. @return how many rows have an empty history.
/// @param max_events as data.max_events. @throws DataError there are more events; Interrupted.
std::size_t expand_histories(RawLog& log, int max_events, const RunContext& run);

}  // namespace recloom
