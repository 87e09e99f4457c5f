#pragma once
#include <string>

#include "data/raw_log.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

/// Read a log and the side tables that belong to it. Its tokens have codes, but can no longer be
/// looked up.
/// @param options validated. @throws DataError, ConfigError, IoError.
RECLOOM_API RawLog load_log(const std::string& file, const DataOptions& options,
                            const RunContext& run);

/// Return a file's name without folder and endings (.gz, .zst, .inter, .csv, .tsv, .txt).
RECLOOM_API std::string log_name(const std::string& file);

}  // namespace recloom
