#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "data/first_lines.hpp"
#include "recloom/core/export.hpp"

namespace recloom {

/// Whether a column of this name is likely to hold users ("CustomerID", "user"), items, times or
/// ratings. Case and what is no letter or digit do not count.
bool names_user(std::string_view name);
bool names_item(std::string_view name);
bool names_time(std::string_view name);
bool names_rating(std::string_view name);

/// Return the settings of data.* that read a table of these rows, as options to be pasted. Which
/// column holds what is told by its name in the header, else by its content.
/// @param rows the first of them the header, if there is one; not empty.
std::string roles_as_settings(const std::vector<Words>& rows, const std::string& separator,
                              bool has_header);

}  // namespace recloom
