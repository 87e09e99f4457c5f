// What the first lines of a log look like: a table of which kind, with a header or without. Nothing
// here is believed in silence: it ends in errors that say what was seen and the settings that read
// it.
#include "data/table_guess.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <vector>

#include "core/text.hpp"
#include "data/column_roles.hpp"
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

bool stands_equally_often(const Words& lines, std::string_view mark, std::size_t least) {
  const std::size_t count = count_of(lines[0], mark);
  return count >= least &&
         all(lines, [&](std::string_view line) { return count_of(line, mark) == count; });
}

/// Other separators than blanks, equally many in every line.
std::string sign_of_separators(const Words& lines) {
  const bool one_word = words_of(lines[0], kBlanks).size() == 1;
  for (const std::string_view mark : kSeparators) {
    if (kBlanks.find(mark) != std::string_view::npos) continue;
    if (stands_equally_often(lines, mark, 1) && (one_word || lines.size() > 2))
      return fmt::format("lines of {} cells, parted by '{}'", count_of(lines[0], mark) + 1, mark);
    const bool lists = lines.size() > 1 && all(lines, [&](std::string_view line) {
                         return words_of(line, kBlanks).size() == 1 && count_of(line, mark) > 0;
                       });
    if (lists) return fmt::format("lines without blanks, parted by '{}'", mark);
  }
  const bool tabs = lines.size() > 2 && stands_equally_often(lines, "\t", 2) &&
                    count_of(lines[0], "\t") < kMostCells;
  return tabs ? fmt::format("lines of {} cells, parted by tabs", count_of(lines[0], "\t") + 1) : "";
}

Words column_of(const Rows& rows, std::size_t at) {
  Words cells;
  for (const Words& row : rows) cells.push_back(row[at]);
  return cells;
}

/// Whether the words of column `at` are alike in all rows.
template <class Is>
bool column_is(const Rows& rows, std::size_t at, Is is) {
  return all(column_of(rows, at), is);
}
bool is_number(std::string_view word) {
  const CellKind kind = kind_of(word);
  return kind != CellKind::word && kind != CellKind::empty;
}
auto of_kind(CellKind kind) {
  return [kind](std::string_view cell) { return kind_of(cell) == kind; };
}

/// Whether the first words repeat: lines of sequences mostly have a user each.
bool first_words_repeat(const Rows& rows) {
  std::set<std::string_view> users;
  return std::any_of(rows.begin(), rows.end(),
                     [&](const Words& row) { return !users.insert(row[0]).second; });
}

/// Equally many words in every line, and what stands in them.
std::string sign_of_cells(const Words& lines) {
  constexpr std::size_t kFewest = 3;
  Rows rows;
  for (const std::string_view line : lines) rows.push_back(words_of(line, kBlanks));
  const std::size_t n_cells = rows[0].size();
  const bool even = std::all_of(rows.begin(), rows.end(),
                                [&](const Words& row) { return row.size() == n_cells; });
  if (n_cells < kFewest || n_cells > kMostCells || rows.size() < 2 || !even) return "";
  const std::string cells = fmt::format("lines of {} cells, ", n_cells);
  std::size_t n_times = 0, last_time = 0;
  for (std::size_t at = 1; at < n_cells; ++at) {
    if (column_is(rows, at, of_kind(CellKind::date))) return cells + "one of them a date";
    if (are_coordinates(column_of(rows, at))) return cells + "some of them coordinates";
    if (!column_is(rows, at, of_kind(CellKind::unix_time))) continue;
    ++n_times;
    last_time = at;
  }
  // Where all items look like times, they are numbers of ten digits.
  if (n_times > 0 && n_times + 1 < n_cells)
    return cells + (last_time + 1 == n_cells ? "the last of them a time" : "one of them a time");
  // A user of several lines, each with as many items, is rarer than one of several ratings.
  const bool rated = column_is(rows, n_cells - 1, is_rating);
  if (first_words_repeat(rows) && column_is(rows, n_cells - 1, is_number))
    return cells + (rated ? "the last of them a rating" : "the last of them a number");
  constexpr std::size_t kEnough = 5;
  const bool only_last = rows.size() >= kEnough && !column_is(rows, n_cells - 2, is_rating);
  return rated && n_cells == kFewest && only_last ? cells + "the last of them a rating" : "";
}

/// Numbers that are measured, not counted: no items are called so.
std::string sign_of_decimals(const Words& lines) {
  constexpr std::size_t kEnough = 10;
  std::set<std::string_view> distinct;
  std::size_t count = 0;
  for (const std::string_view line : lines) {
    const Words words = words_of(line, kBlanks);
    for (std::size_t at = 1; at < words.size(); ++at, ++count) {
      const std::string_view value = words[at].substr(words[at].find(':') + 1);
      if (kind_of(value) != CellKind::decimal) return "";
      distinct.insert(words[at]);
    }
  }
  const bool measured = count >= kEnough && 10 * distinct.size() >= 9 * count;
  return measured ? "lines of decimal numbers, nearly all different" : "";
}

/// Words in line 1 where all other lines have numbers.
std::string sign_of_words_over_numbers(const Words& lines) {
  if (lines.size() < 3) return "";
  const Words names = words_of(lines[0], kBlanks);
  if (names.size() < 2 || std::any_of(names.begin(), names.end(), is_number)) return "";
  for (std::size_t line = 1; line < lines.size(); ++line) {
    const Words words = words_of(lines[line], kBlanks);
    if (words.size() < 2 || !is_number(words[0]) || !is_number(words[1])) return "";
  }
  return fmt::format("line 1 has the words '{}' and '{}', the other lines have numbers there",
                     printable(names[0]), printable(names[1]));
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
    if (mark != " " && stands_equally_often(lines, mark, 1)) return std::string(mark);
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
  TableGuess guess;
  const Words rest(lines.begin() + 1, lines.end());
  guess.sign = header_sign(lines[0]);
  if (guess.sign.empty()) guess.sign = sign_of_separators(lines);
  guess.separator = likely_separator(lines);
  if (guess.sign.empty()) {
    guess.sign = sign_of_cells(lines);
    // The first line may be a header of names that nobody has thought of.
    if (guess.sign.empty() && rest.size() > 1) guess.sign = sign_of_cells(rest);
    if (guess.sign.empty()) guess.sign = sign_of_words_over_numbers(lines);
    if (guess.sign.empty()) guess.sign = sign_of_decimals(lines);
    guess.separator = blank_between(lines[0]);
  }
  if (guess.sign.empty()) return std::nullopt;
  guess.has_header = sign_of_no_header(lines, guess.separator, false).empty();
  return guess;
}

std::string settings_for(const Words& lines, const TableGuess& table) {
  return roles_as_settings(rows_of(lines, table.separator), table.separator, table.has_header);
}

}  // namespace recloom
