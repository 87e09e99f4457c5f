#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "data/time_key.hpp"
#include "recloom/core/export.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

/// Read a time that stands in a setting as one of the log's column is read: numbers in
/// data.time_unit, ISO 8601, or what data.time_format says.
/// @param key what a message names, for example "split.times".
/// @throws ConfigError no such time; one that does not fit into 64 bits.
RECLOOM_API DecimalTime parse_time_text(std::string_view text, const DataOptions& options,
                                        std::string_view key);

/// Return the least key of a log whose time is not earlier than this one: events before it have
/// lower keys, all others do not. Not for times that data.normalize_time has scaled.
RECLOOM_API std::int64_t first_key_at(const DecimalTime& time, const TimeScale& scale) noexcept;

/// Return a key's time as ISO 8601, UTC, with as many decimals as it needs:
/// "2014-04-07T10:51:09.277Z"; in years that no date names, the number of seconds.
RECLOOM_API std::string format_time(std::int64_t key, const TimeScale& scale);

}  // namespace recloom
