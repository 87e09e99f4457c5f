#include "data/table_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "core/text.hpp"
#include "core/utf8.hpp"
#include "data/format_guess.hpp"
#include "data/json_rows.hpp"
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

std::vector<std::string> cells_of(const std::string& where, std::string_view line, char separator,
                                  CellRules rules) {
  std::vector<std::string> cells;
  std::string scratch;
  std::string_view cell;
  CellCursor cursor(line, separator, rules, scratch);
  while (cursor.next(cell)) cells.emplace_back(cell);
  if (cursor.unclosed_quote()) {
    throw DataError(where + ": a cell starts with a double quote that is not closed");
  }
  return cells;
}

char choose_separator(const TableSyntax& syntax, FileFormat format, std::string_view line) {
  if (!syntax.separator.empty()) return syntax.separator[0];
  if (format == FileFormat::atomic) return '\t';
  const auto fitting = separator_with(line, {syntax.user_column, syntax.item_column});
  if (fitting) return *fitting;
  for (const char separator : {'\t', ',', ';', '|'}) {
    if (line.find(separator) != std::string_view::npos) return separator;
  }
  return ',';
}

Column typed_column(const std::string& where, const std::string& cell) {
  const std::size_t colon = cell.rfind(':');
  if (colon == std::string::npos) {
    throw DataError(
        fmt::format("{}: header cell '{}' has no type; an atomic file writes name:type, "
                    "for example user_id:token",
                    where, printable(cell)));
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

TableHeader parse_table_header(const std::string& file, std::string_view block,
                               const TableSyntax& syntax, FileFormat format) {
  TableHeader header;
  header.format = format;
  if (format == FileFormat::sequences) {
    header.bytes = block.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
    return header;
  }
  if (format == FileFormat::json) {
    find_json_columns(file, block, header);
    return header;
  }
  const std::string_view line = first_line(block, header);
  const std::string where = fmt::format("{}:{}", file, header.lines);
  if (line.find('\0') != std::string_view::npos || !is_utf8(line)) {
    throw DataError(where + ": binary data; expected UTF-8 text (plain, .gz or .zst)");
  }
  header.separator = choose_separator(syntax, header.format, line);
  std::unordered_set<std::string> names;
  for (const std::string& cell : cells_of(where, line, header.separator, syntax.rules)) {
    Column column = header.format == FileFormat::atomic
                        ? typed_column(where, cell)
                        : Column{std::string(trim(cell)), ColumnType::untyped};
    if (!names.insert(column.name).second) {
      throw DataError(
          fmt::format("{}: two columns have the name '{}'", where, printable(column.name)));
    }
    header.columns.push_back(std::move(column));
  }
  return header;
}

}  // namespace recloom
