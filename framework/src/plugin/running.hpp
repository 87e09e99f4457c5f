#pragma once
#include "recloom/plugin/info.hpp"

namespace recloom {

/// While it lives, code of the plugin runs on this thread. If exit() is called meanwhile, the
/// process says so in one line that names the plugin and ends with code 4: what was to be done is
/// not done. A fatal signal names it too (name_plugins_in_crashes).
/// @param plugin outlives it.
class Running {
 public:
  explicit Running(const PluginInfo& plugin);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  const PluginInfo* before_;
  bool is_first_;
};

/// From now on neither says anything: for a child process, whose parent tells how it ended.
void leave_endings_to_the_parent();

}  // namespace recloom
