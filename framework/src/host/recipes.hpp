#pragma once
#include <string>

#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

/// What became of a log that was read without a recipe.
enum class ReadOutcome { read, failed };

/// Return the names of recipes that a log fits by its name and its first lines, as options:
/// "--recipe movielens-1m". Of several kinds those whose pattern says most. "" if there are none,
/// if the file is no regular one, or cannot be read. Of a log that was read, recipes that read it
/// no otherwise are left out; of one that was not, all are if its first lines are not at fault.
/// @param data what it was read with.
RECLOOM_API std::string fitting_recipes(const std::string& file, const DataOptions& data,
                                        ReadOutcome outcome, const RunContext& run);

}  // namespace recloom
