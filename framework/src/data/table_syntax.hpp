#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "data/cells.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

/// How much a file may hold; a file with more is an error.
struct ReadLimits {
  /// Codes are 32-bit integers, and ids one more: 0 is padding.
  static constexpr std::size_t kMostTokens = std::numeric_limits<std::int32_t>::max() - 1;

  std::int64_t max_bytes = 0;            ///< Of text; 0: what open_stream() takes for usual.
  std::int64_t bytes_before = 0;         ///< Text of files before it, which max_bytes counts too.
  std::int64_t max_rows = 0;             ///< 0: any number.
  std::size_t max_tokens = kMostTokens;  ///< Distinct ones of a column.
};

/// How the text of a file is to be read.
struct TableSyntax {
  FileFormat format = FileFormat::automatic;
  std::string separator;  ///< Any text; "" = tab (atomic), or what the first lines show (csv).
  std::vector<std::string> columns;  ///< Names by position, of a file without header line.
  std::string encoding = "utf-8";
  CellRules rules = CellRules::pandas;
  /// Names that tell a csv header from a line of tokens when the format is to be guessed.
  std::string user_column = "user_id", item_column = "item_id", time_column = "timestamp";
  bool may_be_sequences = true;  ///< A side table is none.
  ReadLimits limits;
};

}  // namespace recloom
