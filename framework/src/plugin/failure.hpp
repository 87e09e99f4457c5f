#pragma once
#include <string_view>

#include "plugin/loader.hpp"
#include "plugin/running.hpp"
#include "recloom/config/param_schema.hpp"
#include "recloom/config/params.hpp"
#include "recloom/data/batch.hpp"
#include "recloom/plugin/info.hpp"

// Calls of a plugin's functions. Whatever goes wrong in one arrives as one of recloom's errors, on
// one line that names the plugin.
namespace recloom {

/// @throws Error of the kind that the plugin threw; PluginError for everything else.
void call_describe(const LoadedPlugin& loaded, ParamSchema& schema);
/// Return every declared parameter with the value that the user gave or its default.
/// @throws ConfigError naming prefix + key.
Params resolve_params(const LoadedPlugin& loaded, const Params& params, std::string_view prefix);
/// Return the object, never null. @throws as call_describe.
void* call_create(const LoadedPlugin& loaded, const Params& params, const Catalogue& catalogue);

/// Throw the exception that is being handled as one that names the plugin whose code threw it:
/// PluginError; NumericError where a value was not finite; ModelError where memory ran out. What
/// speaks of configuration, data or files stays as it is.
[[noreturn]] void rethrow_naming(const PluginInfo& plugin);

/// Run what calls a plugin's virtual functions. @throws as rethrow_naming() says.
template <class Body>
auto naming(const PluginInfo& plugin, Body body) -> decltype(body()) {
  try {
    const Running running(plugin);
    return body();
  } catch (...) {
    rethrow_naming(plugin);
  }
}

}  // namespace recloom
