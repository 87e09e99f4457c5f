#pragma once
#include <string>

#include "recloom/recloom.hpp"

namespace recloom::cli {

/// Return callbacks that show a run on standard error: a bar on a terminal with a line per epoch,
/// elsewhere a plain line every ten seconds at most. Quick runs write nothing elsewhere.
/// @param title what is trained, at the start of every line.
TrainCallbacks progress_callbacks(const std::string& title);
/// Return seconds as "42 s", "3 min 20 s" or "2 h 05 min".
std::string duration(double seconds);

}  // namespace recloom::cli
