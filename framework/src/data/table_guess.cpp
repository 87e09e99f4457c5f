// What the first lines of a log look like: a table of which kind, with a header or without. Nothing
// here is believed in silence: it ends in errors that say what was seen and the settings that read
// it.
#include "data/table_guess.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>
#include <vector>

#include "core/text.hpp"
#include "data/column_roles.hpp"
#include "data/line_signs.hpp"
#include "data/plain_cells.hpp"

namespace recloom {
namespace {

using Rows = std::vector<Words>;

constexpr std::string_view kBlanks = " \t";
constexpr std::size_t kMostCells = 12;  // Longer lines are hardly those of a log of events.

Rows rows_of(const Words& lines, std::string_view separator) {
  Rows rows;
  for (const std::string_view line : lines) rows.push_back(cells_of_line(line, separator));
  return rows;
}

template <class Holds>
bool all(const Words& lines, Holds holds) {
  return std::all_of(lines.begin(), lines.end(), holds);
}

/// Other separators than blanks, equally many in nearly every line.
std::string sign_of_separators(const Words& lines) {
  const bool one_word = words_of(lines[0], kBlanks).size() == 1;
  for (const std::string_view mark : kSeparators) {
    if (kBlanks.find(mark) != std::string_view::npos) continue;
    const std::size_t count = usual_count(lines, mark);
    const bool enough = one_word || count > 1 || lines.size() > 2;
    if (count > 0 && enough)
      return fmt::format("lines of {} cells, parted by '{}'", count + 1, mark);
    const bool lists = lines.size() > 1 && all(lines, [&](std::string_view line) {
                         return words_of(line, kBlanks).size() == 1 && count_of(line, mark) > 0;
                       });
    if (lists) return fmt::format("lines without blanks, parted by '{}'", mark);
  }
  const std::size_t tabs = usual_count(lines, "\t");
  return lines.size() > 2 && tabs > 1 && tabs < kMostCells
             ? fmt::format("lines of {} cells, parted by tabs", tabs + 1)
             : "";
}

bool is_number(std::string_view word) {
  const CellKind kind = kind_of(word);
  return kind != CellKind::word && kind != CellKind::empty;
}

/// Whether a mark parts a user from numbers that blanks part: "1,2 3 4".
bool parts_a_list(const Words& lines, std::string_view mark) {
  bool several = false;
  const bool lists = all(lines, [&](std::string_view line) {
    const Words cells = cells_of_line(line, mark);
    if (cells.size() != 2) return false;
    const Words items = words_of(cells[1], kBlanks);
    several = several || items.size() > 1;
    return !items.empty() && words_of(cells[0], kBlanks).size() == 1 &&
           std::all_of(items.begin(), items.end(), is_number);
  });
  return lists && several;
}

/// Blanks between words: one tab each, or whatever it is.
std::string blank_between(std::string_view line) {
  return line.find(' ') == std::string_view::npos ? "\t" : " ";
}

std::string_view name_of_kind(CellKind kind) {
  if (kind == CellKind::date) return "date";
  return kind == CellKind::unix_time ? "time" : "decimal number";
}

/// Return whether cells of `kind` stand in column `at` of the lines behind the first, decimal ones
/// beside whole numbers.
bool goes_on(const Rows& rows, std::size_t at, CellKind kind) {
  std::size_t n_same = 0;
  for (std::size_t row = 1; row < rows.size(); ++row) {
    const CellKind other = at < rows[row].size() ? kind_of(rows[row][at]) : CellKind::empty;
    n_same += other == kind || (kind == CellKind::decimal && other == CellKind::integer) ? 1 : 0;
  }
  return 2 * n_same >= rows.size() - 1;
}

/// A separator and the blank that stands behind each of them.
std::string wide_separator(const Words& lines, const std::string& separator) {
  const std::string wide = separator + " ";
  const bool blank_follows = trim(separator) == separator && all(lines, [&](std::string_view line) {
                               return count_of(line, wide) == count_of(line, separator);
                             });
  return blank_follows ? wide : separator;
}

/// Whether line 1 has a number where the other lines have them: then it is no header, but for the
/// positions that pandas writes.
bool numbers_go_on(const Words& lines, std::string_view separator) {
  Rows rows;
  for (const std::string_view line : lines) rows.push_back(cells_of_line(line, separator));
  if (counts_up(rows[0], 0)) return false;
  for (std::size_t at = 0; at < rows[0].size(); ++at) {
    const bool numbers = std::all_of(rows.begin(), rows.end(), [at](const Words& row) {
      return at >= row.size() || is_number(row[at]);
    });
    if (numbers) return true;
  }
  return false;
}

/// Names of users and of something else.
std::string sign_of_names(const Words& names) {
  std::string_view user, other;
  for (const std::string_view name : names) {
    if (user.empty() && names_user(name)) {
      user = name;
    } else if (other.empty() && (names_item(name) || names_time(name) || names_rating(name))) {
      other = name;
    }
  }
  if (user.empty() || other.empty()) return "";
  return fmt::format("line 1 has the names '{}' and '{}'", printable(user), printable(other));
}

}  // namespace

std::string header_sign(std::string_view line) {
  return sign_of_names(words_of(line, " \t,;|:\"'{}[]"));
}

std::string likely_separator(const Words& lines) {
  for (const std::string_view mark : kSeparators)
    if (mark != " " && usual_count(lines, mark) > 0) return std::string(mark);
  for (const std::string_view mark : kSeparators)
    if (mark != " " && count_of(lines[0], mark) > 0) return std::string(mark);
  return blank_between(lines[0]);
}

bool counts_up(const Words& cells, std::size_t from) {
  for (std::size_t at = 0; at < cells.size(); ++at)
    if (trim(cells[at]) != std::to_string(from + at)) return false;
  return true;
}

std::string sign_of_no_header(const Words& lines, std::string_view separator, bool certain) {
  return sign_of_no_header(rows_of(lines, separator), certain);
}

std::string sign_of_no_header(const std::vector<Words>& rows, bool certain) {
  const Words& first = rows[0];
  if (counts_up(first, 0)) return "";  // A header that pandas wrote.
  bool numbers = true;
  for (std::size_t at = 0; at < first.size(); ++at) {
    const CellKind kind = kind_of(first[at]);
    numbers = numbers && kind != CellKind::word;
    const bool data =
        kind == CellKind::date || kind == CellKind::unix_time || kind == CellKind::decimal;
    if (data && goes_on(rows, at, kind))
      return fmt::format("line 1 has the {} '{}'{}", name_of_kind(kind), printable(first[at]),
                         rows.size() > 1 ? ", as the lines after it have" : "");
  }
  if (certain || !sign_of_names(first).empty()) return "";
  for (std::size_t at = 0; at < first.size(); ++at) {
    for (std::size_t row = 1; row < rows.size(); ++row) {
      if (first[at].empty() || at >= rows[row].size() || rows[row][at] != first[at]) continue;
      return fmt::format("line 1 has '{}', which other lines have too", printable(first[at]));
    }
  }
  return numbers && first.size() > 1 ? "line 1 has numbers, no names" : "";
}

std::optional<TableGuess> guess_table(const Words& lines) {
  if (auto comment = find_comment(lines[0]))
    return TableGuess{std::move(comment->sign), " ", false, std::move(comment->remedy)};
  TableGuess guess;
  guess.separator = blank_between(lines[0]);
  guess.sign = header_sign(lines[0]);
  const bool named = !guess.sign.empty();
  if (!named && has_quoted_words(lines, '"')) {
    guess.sign = "cells in double quotes, parted by blanks";
  } else {
    if (!named) guess.sign = sign_of_separators(lines);
    if (!guess.sign.empty()) guess.separator = wide_separator(lines, likely_separator(lines));
  }
  if (guess.sign.empty() || (!named && parts_a_list(lines, guess.separator))) {
    if (auto marked = find_marks(lines))
      return TableGuess{std::move(marked->sign), " ", false, std::move(marked->remedy)};
  }
  if (guess.sign.empty()) guess.sign = sign_of_cells(lines);
  if (guess.sign.empty()) return std::nullopt;
  guess.has_header = named || (lines.size() > 1 && !numbers_go_on(lines, guess.separator) &&
                               sign_of_no_header(lines, guess.separator, false).empty());
  return guess;
}

std::string settings_for(const Words& lines, const TableGuess& table) {
  if (!table.remedy.empty()) return table.remedy;
  Rows rows;
  std::map<std::size_t, std::size_t> n_of_width;
  for (const std::string_view line : lines) {
    rows.push_back(cells_of_line(line, table.separator));
    ++n_of_width[rows.back().size()];
  }
  // The columns are those of most lines.
  const std::size_t width =
      std::ranges::max_element(n_of_width, {}, [](const auto& one) { return one.second; })->first;
  if (!table.has_header)
    std::erase_if(rows, [width](const Words& row) { return row.size() != width; });
  return roles_as_settings(rows, table.separator, table.has_header);
}

}  // namespace recloom
