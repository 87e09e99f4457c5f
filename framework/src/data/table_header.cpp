#include "data/table_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "config/set_option.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "data/first_lines.hpp"
#include "data/foreign_files.hpp"
#include "data/given_columns.hpp"
#include "data/json_rows.hpp"
#include "data/plain_cells.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

/// Return the first line that is not blank, without its end, and move the header behind it.
std::string_view first_line(std::string_view block, TableHeader& header) {
  header.bytes = block.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  while (header.bytes < block.size()) {
    const std::size_t end = std::min(block.find('\n', header.bytes), block.size());
    std::string_view line = block.substr(header.bytes, end - header.bytes);
    if (line.ends_with('\r')) line.remove_suffix(1);
    header.bytes = std::min(end + 1, block.size());
    ++header.lines;
    if (!trim(line).empty()) return line;
  }
  return {};
}

/// @param header begins behind the line, and is moved behind lines that a cell goes on over.
std::vector<std::string> cells_of(const std::string& where, std::string_view block,
                                  std::string_view line, CellRules rules, TableHeader& header) {
  std::vector<std::string> cells;
  std::string scratch;
  std::string_view cell;
  const auto rest = static_cast<std::size_t>(block.data() + block.size() - line.data());
  CellCursor cursor(line, header.separator, rules, scratch, rest - line.size());
  while (cursor.next(cell)) cells.emplace_back(cell);
  if (cursor.unclosed_quote()) {
    throw DataError(
        where +
        ": a cell starts with a double quote that is not closed (--set data.raw_cells=true "
        "takes quotes as they are)");
  }
  if (cursor.more_lines() > 0) {
    const auto end = static_cast<std::size_t>(cursor.end() - block.data());
    header.bytes = std::min(block.find('\n', end), block.size() - 1) + 1;
    header.lines += cursor.more_lines();
  }
  return cells;
}

/// Where the separator of an atomic header is another one, return it.
std::string separator_of_types(std::string_view line) {
  for (const std::string_view separator : kSeparators) {
    const std::vector<std::string_view> cells = plain_cells(line, separator);
    const bool typed = std::all_of(cells.begin(), cells.end(), [](std::string_view cell) {
      const std::string_view type = trim(cell.substr(std::min(cell.find(':'), cell.size())));
      return type == ":token" || type == ":float" || type == ":token_seq" || type == ":float_seq";
    });
    if (cells.size() > 1 && typed) return std::string(separator);
  }
  return "";
}

/// @param remedy reads a header without types.
Column typed_column(const std::string& where, const std::string& cell, std::string_view remedy) {
  if (cell.empty()) {
    throw DataError(where +
                    ": a header cell is empty: do several separators stand side by side, or one at "
                    "the end of the line?");
  }
  const std::size_t colon = cell.rfind(':');
  if (colon == std::string::npos) {
    throw DataError(
        fmt::format("{}: header cell '{}' has no type; an atomic file writes name:type, "
                    "for example user_id:token; {}",
                    where, printable(cell), remedy));
  }
  const std::string type = cell.substr(colon + 1);
  constexpr std::pair<std::string_view, ColumnType> kTypes[] = {
      {"token", ColumnType::token},
      {"token_seq", ColumnType::token_seq},
      {"float", ColumnType::number},
      {"float_seq", ColumnType::number_seq}};
  for (const auto& [name, meaning] : kTypes) {
    if (type == name) return {cell.substr(0, colon), meaning};
  }
  const std::vector<std::string> names = {"token", "token_seq", "float", "float_seq"};
  throw DataError(fmt::format(
      "{}: column '{}' has unknown type '{}'; legal are token, token_seq, float, float_seq{}",
      where, printable(cell.substr(0, colon)), printable(type), did_you_mean(type, names)));
}

/// Let the rows have a cell that the header does not name.
void add_unnamed_columns(std::string_view block, CellRules rules, TableHeader& header) {
  const UnnamedColumns unnamed =
      unnamed_columns(block.substr(header.bytes), header.separator, rules, header.columns.size());
  if (unnamed.first) header.columns.insert(header.columns.begin(), Column{});
  if (unnamed.last) header.columns.emplace_back();
}

/// Keys are columns: those of the first block stand for a header.
void find_json_columns(const std::string& file, std::string_view block, TableHeader& header) {
  header.bytes = block.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  const JsonKeys keys = json_keys(block.substr(header.bytes), file);
  if (!keys.error.empty()) {
    throw DataError(fmt::format("{}:{}: {}", file, keys.line, keys.error));
  }
  for (std::size_t key = 0; key < keys.paths.size(); ++key) {
    const ColumnType type = keys.are_lists[key] ? ColumnType::token_seq : ColumnType::untyped;
    header.columns.push_back({keys.paths[key], type});
  }
}

}  // namespace

std::string find_separator(const std::string& file, std::string_view head,
                           const TableSyntax& syntax, FileFormat format) {
  TableHeader header;
  const std::string_view line = first_line(head, header);
  // A side table may be written in another way than its log.
  const bool is_side_table = !syntax.may_be_sequences;
  const bool is_given = !syntax.separator.empty();
  if (is_given && (!is_side_table || plain_cells(line, syntax.separator).size() > 1))
    return syntax.separator;
  if (!syntax.columns.empty()) return separator_of_rows(file, head, syntax);
  if (format == FileFormat::atomic) return "\t";
  const auto fitting = separator_with(line, {syntax.user_column, syntax.item_column});
  if (fitting) return *fitting;
  for (const std::string_view separator : kSeparators) {
    if (separator != " " && line.find(separator) != std::string_view::npos) {
      return std::string(separator);
    }
  }
  return ",";
}

TableHeader parse_table_header(const std::string& file, std::string_view block,
                               const TableSyntax& syntax, FileFormat format,
                               const std::string& separator) {
  TableHeader header;
  header.format = format;
  header.separator = separator;
  header.is_side_table = !syntax.may_be_sequences;
  if (format == FileFormat::sequences || !syntax.columns.empty()) {
    header.bytes = block.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
    header.is_given = !syntax.columns.empty();
    for (const std::string& name : syntax.columns) header.columns.push_back({name});
    if (header.is_given) refuse_header_line(file, block.substr(header.bytes), separator, syntax);
    return header;
  }
  if (format == FileFormat::json) {
    find_json_columns(file, block, header);
    return header;
  }
  const std::string_view line = first_line(block, header);
  const std::string where = fmt::format("{}:{}", file, header.lines);
  if (line.find('\0') != std::string_view::npos || !is_utf8(line)) {
    throw DataError(where + ": " + not_utf8_text(block));
  }
  const std::vector<std::string> cells = cells_of(where, block, line, syntax.rules, header);
  if (format == FileFormat::atomic && cells.size() == 1) {
    if (const std::string other = separator_of_types(line); !other.empty()) {
      throw DataError(fmt::format("{}: the header is one cell, '{}'; {} parts it", where,
                                  printable(cells[0]), set_option("data.separator", other)));
    }
  }
  const bool of_users = file.find(".user") != std::string::npos;
  const std::string_view remedy = syntax.may_be_sequences
                                      ? "--set data.format=csv takes it for names alone"
                                  : of_users ? "--set data.user_file=none leaves the file out"
                                             : "--set data.item_file=none leaves the file out";
  std::unordered_set<std::string> names;
  for (const std::string& cell : cells) {
    Column column = header.format == FileFormat::atomic
                        ? typed_column(where, cell, remedy)
                        : Column{std::string(trim(cell)), ColumnType::untyped};
    // Columns without a name are of no use, and do no harm: an index, a separator at each line's
    // end.
    if (!names.insert(column.name).second && !column.name.empty()) {
      throw DataError(fmt::format(
          "{}: two columns have the name '{}'; rename one of them, or leave the line out "
          "and give all names with data.columns",
          where, printable(column.name)));
    }
    header.columns.push_back(std::move(column));
  }
  if (format == FileFormat::csv) add_unnamed_columns(block, syntax.rules, header);
  return header;
}

}  // namespace recloom
