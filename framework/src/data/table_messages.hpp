#pragma once
#include <string>
#include <string_view>

#include "data/table_header.hpp"

namespace recloom {

/// Say that a column is missing, which there are, and which settings mend it.
/// @param where "log.csv:1". @param key of the setting that names the column, "data.user_column".
std::string missing_column(const std::string& where, const TableHeader& header,
                           std::string_view name, std::string_view key);

/// Say that the names of the columns in use are values, so that the header is the first row of a
/// file without one; "" if they are not. @param used the names in use.
std::string values_for_names(const std::string& where, const TableHeader& header,
                             const std::vector<std::string>& used);

}  // namespace recloom
