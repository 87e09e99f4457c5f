#pragma once
#include <string>

#include "core/json.hpp"
#include "recloom/config/params.hpp"

namespace recloom {

/// Return parameters as nested JSON objects: {"train": {"epochs": 3}}.
Json to_json(const Params& params);
/// Return the same back; names of nested objects become dotted.
/// @throws ConfigError for values that no parameter can have.
Params params_from_json(const Json& json);

}  // namespace recloom
