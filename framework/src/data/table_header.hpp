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
  char separator = '\t';
  std::vector<Column> columns;  ///< Empty for sequences.
  std::size_t bytes = 0;        ///< Where the rows begin in the first block.
  std::int64_t lines = 0;       ///< How many lines lie before them.
};

/// @param file as messages show it. @param block the first lines of the file.
/// @param format not automatic. @throws DataError with file:line.
TableHeader parse_table_header(const std::string& file, std::string_view block,
                               const TableSyntax& syntax, FileFormat format);

}  // namespace recloom
