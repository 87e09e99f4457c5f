#pragma once
#include <optional>

#include "data/first_lines.hpp"
#include "data/line_signs.hpp"

namespace recloom {

/// Return what lines of "user item time item time ..." are and what reads them, with two or three
/// words for each event; also "user item:time item:time ..." and "user 3 item item item". Nothing
/// if they may well be lines of "user item item ...".
std::optional<MarkedLines> find_item_groups(const Words& lines);

}  // namespace recloom
