#pragma once
// The one door to nlohmann-json. Objects keep the order in which keys were added, so that files are
// the same bytes on every run.
#include <nlohmann/json.hpp>
#include <string>

namespace recloom {

using Json = nlohmann::ordered_json;

}  // namespace recloom
