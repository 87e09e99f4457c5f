#pragma once
#include <cstddef>
#include <string>

#include "data/raw_log.hpp"
#include "data/table.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

// What a ReadSummary says of a log.

std::string format_text(const TableReader& reader, const DataOptions& options, std::size_t n_files);
/// The columns in use with their places, "user_id (1), item_id (2)".
std::string columns_text(const TableReader& reader, const TableRequest& request);
/// The first event of the file, its time as it is written; numbers that may well be Unix times as a
/// date too.
std::string first_event(const RawLog& log, const DataOptions& options);

}  // namespace recloom
