#pragma once
#include <string>

#include "core/json.hpp"
#include "recloom/config/params.hpp"

namespace recloom {

/// Return parameters as nested JSON objects: {"train": {"epochs": 3}}. Bytes
/// of texts that are no UTF-8 are escaped (core/utf8.hpp).
Json to_json(const Params& params);
/// Return the same back; names of nested objects become dotted.
/// @throws ConfigError for values that no parameter can have.
Params params_from_json(const Json& json);

}  // namespace recloom
