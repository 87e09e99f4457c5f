#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "recloom/core/export.hpp"

namespace recloom {

enum class LogLevel { info, warning };

/// Write one line to standard error. Thread safe. A progress bar on the terminal is moved below it.
RECLOOM_API void log(LogLevel level, std::string_view text);
/// Show `text` as the bar at the bottom of the terminal ("" removes it). Does nothing if standard
/// error is no terminal.
RECLOOM_API void show_progress(std::string_view text);
/// Show the first of these texts, from the longest to the shortest, that the terminal has room for
/// at the time; of the last one as much as there is room for.
RECLOOM_API void show_progress(std::vector<std::string> texts);
RECLOOM_API bool stderr_is_terminal();

}  // namespace recloom
