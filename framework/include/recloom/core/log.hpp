#pragma once
#include <string_view>

#include "recloom/core/export.hpp"

namespace recloom {

enum class LogLevel { info, warning };

/// Write one line to standard error. Thread safe. A progress bar on the terminal is moved below it.
RECLOOM_API void log(LogLevel level, std::string_view text);
/// Show `text` as the bar at the bottom of the terminal ("" removes it). Does nothing if standard
/// error is no terminal.
RECLOOM_API void show_progress(std::string_view text);
RECLOOM_API bool stderr_is_terminal();

}  // namespace recloom
