#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/block_times.hpp"
#include "data/growing_array.hpp"
#include "data/interval.hpp"
#include "data/table_header.hpp"
#include "data/table_syntax.hpp"
#include "data/token_table.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

/// What to take from a table.
struct TableRequest {
  std::vector<std::string> token_columns;
  std::vector<std::string> token_keys;  ///< The settings that name them, for messages; or empty.
  std::size_t n_required = 0;      ///< Rows that lack one of the first so many tokens are dropped.
  std::optional<TimeRules> times;  ///< Of the time column; none: there is none.
  std::vector<ValueFilter> filters;
};

/// The first row of a file that was left out since it lacks a user or item.
struct FirstMissing {
  std::int64_t line = 0;
  std::string column;
  std::string word;  ///< What stands there: a word for "missing", or nothing.
};

/// Columns of one or more tables, rows in file order.
struct Table {
  static constexpr std::int32_t kMissing = -1;

  std::vector<TokenTable> tokens;                 ///< One per token column.
  std::vector<GrowingArray<std::int32_t>> codes;  ///< Into `tokens`; kMissing.
  GrowingArray<std::int64_t> times;               ///< Keys (time_key.hpp); kMissingTime.
  TimeScale time_scale;
  TimeKinds time_kinds;
  GrowingArray<std::uint8_t> passes;  ///< Does the row pass every filter? Empty: yes.
  std::int64_t n_without_token = 0, n_without_time = 0;  ///< Rows that were dropped for it.
  FirstMissing first_without_token;                      ///< Of the file that was read last.
  std::size_t n_rows() const noexcept { return codes.empty() ? 0 : codes[0].size(); }
};

/// Reads a text table in one pass over blocks of lines, which are parsed in parallel; the result
/// does not depend on the number of threads. Memory: the columns, a fixed number of blocks, and
/// four times the longest line.
class RECLOOM_API TableReader {
 public:
  /// Open the file and read its header.
  /// @param run must outlive the reader; its stop request ends all reading.
  /// @throws IoError, DataError with file:line, Interrupted.
  TableReader(const std::string& file, const TableSyntax& syntax, const RunContext& run);
  ~TableReader();
  TableReader(const TableReader&) = delete;
  TableReader& operator=(const TableReader&) = delete;

  FileFormat format() const noexcept;  ///< Never automatic.
  const std::vector<Column>& columns() const noexcept;
  bool has_column(std::string_view name) const noexcept;
  /// The columns of data.time_column: it alone, or those of "day+hour" where none has that name.
  std::vector<std::string> time_columns(const std::string& name) const;
  const std::string& separator() const noexcept;  ///< Of a table.
  bool has_header() const noexcept;  ///< False for sequences and columns named by data.columns.
  std::int64_t bytes_read() const noexcept;  ///< Of text so far.
  /// Read all rows; may be called once. A file of sequences yields users and items, no times.
  /// @throws DataError with file:line for a cell that cannot be read, for more rows or tokens than
  /// the limits allow; IoError; Interrupted.
  Table read(const TableRequest& request);
  /// The same, behind the rows that `table` has of another file by the same request; limits hold
  /// for all of them.
  void read(const TableRequest& request, Table& table);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace recloom
