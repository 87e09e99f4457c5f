#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "data/table_syntax.hpp"

namespace recloom {

/// Return the separator that gives each of the first rows of a file without header line as many
/// cells as syntax.columns has. @param file as messages show it. @throws DataError there is none.
std::string separator_of_rows(const std::string& file, std::string_view head,
                              const TableSyntax& syntax);

/// Where rows have one cell more than the header has names.
struct UnnamedColumns {
  bool first = false;  ///< Numbers of rows, 0 1 2 or 1 2 3, as pandas and R write them.
  bool last = false;   ///< Empty cells: a separator at each line's end.
};
/// @param text the rows behind the header. @param n_names of the header.
UnnamedColumns unnamed_columns(std::string_view text, std::string_view separator, CellRules rules,
                               std::size_t n_names);

/// @param rows the first ones of a file that is said to have no header line.
/// @throws DataError the first one is a header.
void refuse_header_line(const std::string& file, std::string_view rows,
                        const std::string& separator, const TableSyntax& syntax);

}  // namespace recloom
