// Files without header line, whose columns data.columns names by position.
#include "data/given_columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <utility>

#include "config/set_option.hpp"
#include "core/text.hpp"
#include "data/cells.hpp"
#include "data/plain_cells.hpp"
#include "data/table_guess.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr std::size_t kRowsToLookAt = 100;
constexpr std::string_view kTimeKey = "data.time_column";

struct Row {
  std::int64_t line = 0;
  std::vector<std::string> cells;
};

/// Return the first rows that are not blank and whose end is known; a single one in any case. One
/// with an unclosed quote, and all behind it, are not looked at.
std::vector<Row> first_rows(std::string_view text, std::string_view separator, CellRules rules) {
  std::vector<Row> rows;
  std::string scratch;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::int64_t n_lines = 0;
  while (!text.empty() && rows.size() < kRowsToLookAt) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos && !rows.empty()) break;
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++n_lines;
    CellCursor cursor(line, separator, rules, scratch, text.size() - line.size());
    Row row{n_lines, {}};
    for (std::string_view cell; cursor.next(cell);) row.cells.emplace_back(cell);
    if (cursor.unclosed_quote()) break;
    n_lines += cursor.more_lines();
    const auto taken = static_cast<std::size_t>(cursor.end() - text.data());
    const std::size_t row_end = text.find('\n', taken);
    if (row_end == std::string_view::npos && !rows.empty()) break;
    text.remove_prefix(std::min(row_end, text.size() - 1) + 1);
    if (!trim(line).empty()) rows.push_back(std::move(row));
  }
  return rows;
}

bool has_digit(std::string_view text) {
  return text.find_first_of("0123456789") != std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string small(trim(text));
  for (char& c : small) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return small;
}

/// The cells of two rows below a column that is used.
struct UsedCells {
  std::string_view key;  // The setting that names the column.
  std::string name, first, second;
};

std::vector<UsedCells> used_cells(const std::vector<Row>& rows, const TableSyntax& syntax) {
  const std::pair<std::string_view, const std::string&> columns[] = {
      {"data.user_column", syntax.user_column},
      {"data.item_column", syntax.item_column},
      {kTimeKey, syntax.time_column}};
  std::vector<UsedCells> used;
  for (const auto& [key, name] : columns) {
    if (name.empty()) continue;  // No times. A column without a name is none of them.
    const auto found = std::find(syntax.columns.begin(), syntax.columns.end(), name);
    const auto at = static_cast<std::size_t>(found - syntax.columns.begin());
    const auto cell = [&](std::size_t row) {
      return row < rows.size() && at < rows[row].cells.size() ? rows[row].cells[at] : "";
    };
    if (found != syntax.columns.end()) used.push_back({key, name, cell(0), cell(1)});
  }
  return used;
}

/// Words above times, or "userId" above an id: names of columns, if other ones.
bool are_other_names(const std::vector<UsedCells>& used) {
  const UsedCells& last = used.back();
  if (last.key == kTimeKey)
    return !has_digit(last.first) && has_digit(last.second) && !is_missing_word(last.first);
  return used.size() > 1 && !header_sign(used[0].first + " " + used[1].first).empty();
}

}  // namespace

std::string separator_of_rows(const std::string& file, std::string_view head,
                              const TableSyntax& syntax) {
  const std::size_t n_columns = syntax.columns.size();
  std::string counts;
  std::int64_t line = 1;
  std::vector<std::string_view> separators(kSeparators.begin(), kSeparators.end());
  separators.push_back(kBlankRuns);
  for (const std::string_view separator : separators) {
    const std::vector<Row> rows = first_rows(head, separator, syntax.rules);
    const bool fits = std::all_of(rows.begin(), rows.end(),
                                  [&](const Row& row) { return row.cells.size() == n_columns; });
    if (fits && !rows.empty()) return std::string(separator);
    if (rows.empty() || rows[0].cells.size() < 2) continue;
    line = rows[0].line;
    counts += fmt::format("{}'{}' gives {}", counts.empty() ? "" : ", ", printable(separator),
                          rows[0].cells.size());
  }
  throw DataError(fmt::format(
      "{}:{}: data.columns names {} columns, and no separator of '::', tab, ',', ';', '|', ' ' "
      "gives the first lines as many cells{}; name each column of the file, or give "
      "data.separator",
      file, line, n_columns,
      counts.empty() ? std::string() : fmt::format(" (in line {}, {})", line, counts)));
}

UnnamedColumns unnamed_columns(std::string_view text, std::string_view separator, CellRules rules,
                               std::size_t n_names) {
  UnnamedColumns unnamed;
  const std::vector<Row> rows = first_rows(text, separator, rules);
  const bool one_more = std::all_of(rows.begin(), rows.end(), [n_names](const Row& row) {
    return row.cells.size() == n_names + 1;
  });
  if (rows.size() < 2 || !one_more) return unnamed;
  unnamed.last = std::all_of(rows.begin(), rows.end(),
                             [](const Row& row) { return row.cells.back().empty(); });
  const auto counts_from = [&](std::size_t begin) {
    for (std::size_t row = 0; row < rows.size(); ++row)
      if (rows[row].cells[0] != std::to_string(begin + row)) return false;
    return true;
  };
  unnamed.first = !unnamed.last && (counts_from(0) || counts_from(1));
  return unnamed;
}

void refuse_header_line(const std::string& file, std::string_view rows,
                        const std::string& separator, const TableSyntax& syntax) {
  const std::vector<Row> first = first_rows(rows, separator, syntax.rules);
  if (first.empty()) return;
  const std::vector<UsedCells> used = used_cells(first, syntax);
  const bool same = std::all_of(used.begin(), used.end(), [](const UsedCells& cells) {
    return lower(cells.first) == lower(cells.name);
  });
  if (used.empty() || (!same && !are_other_names(used))) return;
  std::vector<std::string> shown;
  constexpr std::size_t kMostShown = 20;
  for (const std::string& cell : first[0].cells) {
    if (shown.size() == kMostShown) {
      shown.emplace_back("...");
      break;
    }
    shown.push_back(printable(cell, 30));
  }
  std::string remedy;
  for (const UsedCells& cells : used)
    remedy += " " + set_option(cells.key, std::string(trim(cells.first)));
  throw DataError(
      fmt::format("{}:{}: this line is a header ({}), while data.columns is for files without one; "
                  "without it,{} "
                  "reads the file",
                  file, first[0].line, fmt::join(shown, ", "), remedy));
}

}  // namespace recloom
