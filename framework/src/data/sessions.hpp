#pragma once
#include "data/raw_log.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

/// Make each session of a user a user of its own, "TOKEN#1", "TOKEN#2" and so on in time order: one
/// ends where more than data.session_gap seconds pass without an event. Rows keep their order. The
/// table of users goes, since users without events have no session.
/// @throws ConfigError the log has no times, or such as are no seconds; DataError there are too
/// many sessions; Interrupted.
void cut_sessions(RawLog& log, const DataOptions& options, const RunContext& run);

}  // namespace recloom
