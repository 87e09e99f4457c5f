#pragma once
#include "recloom/core/export.hpp"

namespace recloom {

/// For programs: let a fatal signal write one line that names the plugin whose code was running,
/// before it takes its course. Handlers that are installed already stay.
RECLOOM_API void name_plugins_in_crashes();

}  // namespace recloom
