#pragma once
#include <sys/types.h>

#include <string>

#include "recloom/core/export.hpp"
#include "recloom/plugin/abi.hpp"
#include "recloom/plugin/info.hpp"

namespace recloom {

/// A plugin file after all checks; without a descriptor it is broken and info says why.
struct LoadedPlugin {
  PluginInfo info;
  const plugin::RecloomPlugin* descriptor = nullptr;
};

/// Open a file and check everything that can be checked without calling a function of the plugin.
/// What was opened stays open for the life of the process: objects, exceptions and type information
/// of a plugin may live anywhere. Throws nothing for a broken file. Thread safe.
RECLOOM_API LoadedPlugin load_plugin(const std::string& file);

/// Return why a file is not even to be opened, "" if nothing speaks against it: what can be told by
/// reading it.
RECLOOM_API std::string file_problem(const std::string& file);

/// fork(), while no other thread opens a plugin.
pid_t fork_between_openings();

/// Return the name in a plugin's file name: "caser" of ".../recloom-caser.so", "" for other files.
RECLOOM_API std::string plugin_name(const std::string& file);

}  // namespace recloom
