#pragma once
#include "core/json.hpp"
#include "recloom/recloom.hpp"

namespace recloom {

/// Return report.json: what is the same on every run of the same files, config, seed and build, and
/// under `timing` what is not.
Json run_folder_report(const RunReport& report);
/// Return a line of history.jsonl.
Json history_line(const EpochReport& epoch);

}  // namespace recloom
