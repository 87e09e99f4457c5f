#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/block_times.hpp"
#include "data/cells.hpp"
#include "data/growing_array.hpp"
#include "data/interval.hpp"
#include "data/json_rows.hpp"
#include "data/token_merger.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

/// What one column of a file is used for.
struct ColumnUse {
  std::optional<std::size_t> token;  ///< Index of the token column that it fills.
  bool time = false;
  std::optional<std::size_t> time_part;  ///< Of a time that stands in several cells: which part.
  std::vector<const ValueFilter*> filters;
  std::string name;  ///< For messages.
  bool used() const noexcept { return token || time || !filters.empty(); }
};

/// What all blocks of a file share.
struct ParsePlan {
  std::vector<ColumnUse> columns;
  std::size_t n_tokens = 0, n_required = 0;
  std::size_t n_time_parts = 0;  ///< 0: a time is one cell.
  bool has_time = false, has_filters = false;
  std::string separator = "\t";
  CellRules rules = CellRules::pandas;
  bool columns_given = false;      ///< By data.columns: there is no header.
  bool fills_short_lines = false;  ///< Cells that a line lacks at its end are missing ones.
  /// Names of the user and item column: a row that holds them is a header once more. Only of
  /// tables without times, where nothing else would tell.
  std::optional<std::pair<std::string, std::string>> header_cells;
  MissingTime missing_time = MissingTime::error;
  TimeRules times;
  std::vector<JsonColumn> json_columns;  ///< As `columns`; of a file of JSON lines alone.

  /// For messages, before the number of columns.
  std::string_view names_from() const noexcept {
    return columns_given ? "data.columns names" : "the header has";
  }
};

/// One token column of a block.
struct TokenColumn {
  /// What stands for the n-th token of `unknown`, which the table did not know yet.
  static constexpr std::int32_t unknown_code(std::int32_t n) noexcept { return -2 - n; }

  GrowingArray<TokenRef> refs;       ///< One per row; a missing token has no text.
  GrowingArray<std::int32_t> codes;  ///< One per row: the table's, TokenTable::kUnknown (missing)
                                     ///< or unknown_code().
  BlockCodes unknown;
};

/// A row that was left out since it lacks a user or item.
struct MissingToken {
  std::int64_t line = 0;  ///< Counted from the block's first one: 1.
  std::size_t token = 0;  ///< Which of the required tokens.
  std::string word;       ///< What stands there instead: a word for "missing", or nothing.
};

/// The rows of one block. They point into its text.
struct BlockColumns {
  std::vector<TokenColumn> tokens;
  std::deque<std::string> unquoted;  ///< Texts of tokens that stood in quotes.
  BlockTimes times;
  GrowingArray<std::uint8_t> passes;
  std::int64_t n_without_token = 0, n_without_time = 0;
  MissingToken first_without_token;  ///< If there is one.
  std::int64_t n_lines = 0;          ///< Lines read, up to the faulty one if there is an error.
  std::optional<std::string> error;  ///< What is wrong with the last line that was read.

  std::size_t n_rows() const noexcept { return tokens[0].refs.size(); }
  void clear(std::size_t n_tokens);
};

/// Parse lines of cells. `tables` (one per token column) are asked for codes and not changed.
/// Errors are left in `out`: only the caller knows the line's number.
void parse_rows(const ParsePlan& plan, std::string_view bytes, std::span<const TokenTable> tables,
                BlockColumns& out);
/// The same for lines that are JSON objects.
void parse_json_rows(const ParsePlan& plan, std::string_view bytes,
                     std::span<const TokenTable> tables, BlockColumns& out);
/// Parse lines of the form "user item item ...": two token columns, a row per item.
void parse_sequences(std::string_view bytes, std::span<const TokenTable> tables, BlockColumns& out);

}  // namespace recloom
