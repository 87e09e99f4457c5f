#pragma once
#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/plugin/info.hpp"

namespace recloom {

/// Find out what opening each file comes to, in child processes, some at a time. One that crashes,
/// ends the process or does not come back within `limit` has that as its problem.
/// @return a row for each file, in order. Throws nothing for a broken file.
RECLOOM_API std::vector<PluginInfo> probe_plugins(std::span<const std::string> files,
                                                  std::chrono::seconds limit);

}  // namespace recloom
