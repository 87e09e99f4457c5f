#pragma once
#include "data/interval.hpp"
#include "data/raw_log.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

/// Filter a log in RecBole's order (recbole/data/dataset/dataset.py, _data_filtering): duplicates,
/// value intervals, side tables, counts. (Rows without user or item are dropped by the reader.)
/// With data.session_gap, users are cut into sessions behind the side tables, and duplicates and
/// counts are those of sessions.
/// Rows keep their order, but for `duplicates`, which leaves them in time order.
/// @throws ConfigError malformed interval, sessions of a log without times, filters of events where
/// lines bring their histories; Interrupted, as all of these.
RECLOOM_API void filter_log(RawLog& log, const DataOptions& options, const RunContext& run);

/// The steps. keep_distinct: of a user's events with one item, only the first or the last in time.
RECLOOM_API void keep_distinct(RawLog& log, Duplicates which, const RunContext& run);
RECLOOM_API void keep_passing(RawLog& log, const RunContext& run);
RECLOOM_API void keep_known(RawLog& log, const RunContext& run);
/// Drop users and items with too few or too many events, again and again until none is left. Both
/// are judged by the same counts in each round. Entries of side tables are dropped with them, and
/// those without events if the lower bound is above 0.
RECLOOM_API void keep_by_counts(RawLog& log, const Intervals& user_counts,
                                const Intervals& item_counts, const RunContext& run);

}  // namespace recloom
