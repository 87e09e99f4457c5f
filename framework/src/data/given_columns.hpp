#pragma once
#include <string>
#include <string_view>

#include "data/table_syntax.hpp"

namespace recloom {

/// Return the separator that gives each of the first rows of a file without header line as many
/// cells as syntax.columns has. @param file as messages show it. @throws DataError there is none.
std::string separator_of_rows(const std::string& file, std::string_view head,
                              const TableSyntax& syntax);

/// @param rows the first ones of a file that is said to have no header line.
/// @throws DataError the first one is a header.
void refuse_header_line(const std::string& file, std::string_view rows,
                        const std::string& separator, const TableSyntax& syntax);

}  // namespace recloom
