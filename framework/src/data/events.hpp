#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/growing_array.hpp"
#include "data/raw_log.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/core/types.hpp"
#include "recloom/data/options.hpp"
#include "recloom/data/vocabulary.hpp"

namespace recloom {

/// All events, users one after the other, each in time order (of a given split: part by part).
struct Events {
  std::vector<ItemId> items;
  std::vector<std::int64_t> offsets;  ///< [n_users + 1]; user 0 has no events.
  GrowingArray<std::int64_t> times;   ///< Keys, one per event; the file's order if it has no times.
  bool has_times = false;
  TimeScale time_scale;              ///< Of the keys.
  GrowingArray<std::uint8_t> parts;  ///< As RawLog's; empty: the split is not given.
  bool own_histories = false;        ///< Lines bring their histories (kOnlyHistory).
};

/// Bring times into the form by which events are ordered: missing ones get the mean of the others,
/// and those that were read for float32 precision are rounded to it (after min-max scaling, if
/// `normalize_time`). With exact precision `normalize_time` has no effect, since it does not change
/// the order.
RECLOOM_API void finish_times(RawLog& log, const DataOptions& options);

/// Replace codes by ids in order of first appearance, starting at 1; entries that only a side table
/// knows come last. The log's users and items are ids afterwards, their tokens are
/// gone. @throws Interrupted.
RECLOOM_API Vocabulary assign_ids(RawLog& log, const RunContext& run);

/// Rows count a history's events in 32 bits. @param offsets [n_users + 1] of the events.
/// @throws DataError a user has more events than that.
RECLOOM_API void check_lengths(std::span<const std::int64_t> offsets, const Vocabulary& vocabulary);

/// Order coded events by user and time, those of a given split by user, part and time; ties keep
/// their order. Takes the columns of `log`. Its histories have been expanded.
/// @throws Interrupted.
RECLOOM_API Events make_events(RawLog& log, std::size_t n_users, const RunContext& run);

}  // namespace recloom
