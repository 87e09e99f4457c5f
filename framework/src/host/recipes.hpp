#pragma once
#include <string>

#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

/// Return the names of recipes that a log fits by its name and its first lines, as options:
/// "--recipe movielens-1m". Of several kinds those whose pattern says most. "" if there are none,
/// if the file is no regular one, or cannot be read.
/// @param read_with leave out recipes that read the file no otherwise than these options do; null:
/// none is left out.
RECLOOM_API std::string fitting_recipes(const std::string& file, const DataOptions* read_with,
                                        const RunContext& run);

}  // namespace recloom
