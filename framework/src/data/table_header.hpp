#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/table_syntax.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

enum class ColumnType { token, token_seq, number, number_seq, untyped };

struct Column {
  std::string name;
  ColumnType type = ColumnType::untyped;
};

/// What the first lines of a file say.
struct TableHeader {
  FileFormat format = FileFormat::atomic;
  std::string separator = "\t";
  bool is_given = false;        ///< By data.columns, instead of a line.
  bool is_side_table = false;   ///< Of users or items; data.columns is not about it.
  std::vector<Column> columns;  ///< Empty for sequences.
  std::size_t bytes = 0;        ///< Where the rows begin in the first block.
  std::int64_t lines = 0;       ///< How many lines lie before them.
};

/// Return what parts the cells of a table: what the syntax says, else what its first lines show.
/// @param file as messages show it. @param head the first bytes of the file.
/// @param format atomic or csv. @throws DataError: none gives the lines as many cells as
/// syntax.columns has.
std::string find_separator(const std::string& file, std::string_view head,
                           const TableSyntax& syntax, FileFormat format);

/// @param file as messages show it. @param block the first rows of the file.
/// @param format not automatic. @param separator of a table. @throws DataError with file:line.
TableHeader parse_table_header(const std::string& file, std::string_view block,
                               const TableSyntax& syntax, FileFormat format,
                               const std::string& separator);

}  // namespace recloom
