#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/table_syntax.hpp"
#include "recloom/core/export.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

/// Return how a file is written by its name's ending, packed or not; automatic: it does not say.
RECLOOM_API FileFormat format_of_name(std::string_view file);

/// Return how a file is written: what the syntax says, else by its name, else by its first lines.
/// Lines of sequences are only guessed if nothing speaks for a table.
/// @param head the first bytes of the file, LineBlocks::head().
/// @param file as messages show it. @throws DataError with file:line: nothing to read, no text,
/// lines that may be a table.
RECLOOM_API FileFormat find_format(const std::string& file, std::string_view head,
                                   const TableSyntax& syntax);

}  // namespace recloom
