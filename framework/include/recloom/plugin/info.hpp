#pragma once
#include <string>

namespace recloom {

/// A plugin file that was found; a broken one carries its reason instead of a version.
struct PluginInfo {
  std::string name, version, summary, kind, file, problem;
  bool usable() const noexcept { return problem.empty(); }
};

}  // namespace recloom
