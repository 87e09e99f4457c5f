#pragma once
#include <string>

#include "data/raw_log.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

/// Read the files of a given split as one log that knows which part each line belongs to: lines of
/// the training file, then those of split.valid_file, then of split.test_file.
/// @param files those of the training part; the side tables of the first are those of all parts.
/// @param data, split validated.
/// @throws IoError a part is nowhere; ConfigError there is no other part; DataError parts do not go
/// together; as load_log().
RECLOOM_API RawLog load_given_split(const std::vector<std::string>& files, const DataOptions& data,
                                    const SplitOptions& split, const RunContext& run);

}  // namespace recloom
