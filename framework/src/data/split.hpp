#pragma once
#include <span>
#include <string>

#include "data/events.hpp"
#include "data/splitter.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

/// Divide all rows into parts. Row order is RecBole's: users in the order of their first row's time
/// (ties by id), each user's rows in time order; `group = all`: all rows in time order. Rows that
/// bring their histories: users by id, each user's lines part by part, in time order.
/// @param events of a given split with their parts. @param user_tokens [n_users], for `users`.
/// @param data how boundaries in time are written. @param options validated.
/// @throws ConfigError a split by time of a log without times, boundaries that are no times;
/// Interrupted.
RECLOOM_API SplitRows split_rows(const Events& events, std::span<const std::string> user_tokens,
                                 const DataOptions& data, const SplitOptions& options,
                                 const RunContext& run);

}  // namespace recloom
