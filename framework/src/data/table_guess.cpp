// What the first lines of a log look like: a table of which kind, with a header or without. Nothing
// here is believed in silence: it ends in errors that say what was seen and the settings that read
// it.
#include "data/table_guess.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "config/set_option.hpp"
#include "core/text.hpp"
#include "data/column_roles.hpp"
#include "data/free_text.hpp"
#include "data/item_groups.hpp"
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

/// How many different texts stand before the first tab of lines.
std::size_t n_first(const Words& lines) {
  std::set<std::string_view> first;
  for (const std::string_view line : lines) first.insert(line.substr(0, line.find('\t')));
  return first.size();
}

/// How many lines have words of letters alone behind their tab, with blanks between: names.
std::size_t n_names_with_blanks(const Words& lines) {
  return static_cast<std::size_t>(
      std::count_if(lines.begin(), lines.end(), [](std::string_view line) {
        const std::string_view cell = line.substr(std::min(line.find('\t'), line.size()));
        return words_of(cell, kBlanks).size() > 1 &&
               cell.find_first_of("0123456789") == std::string_view::npos;
      }));
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
  if (lines.size() < 3 || tabs == 0) return "";
  // Words that blanks part in most cells behind the first tab of a user with several lines.
  const bool names =
      n_first(lines) < lines.size() && 2 * n_names_with_blanks(lines) >= lines.size();
  const bool empty = std::any_of(lines.begin(), lines.end(), [](std::string_view line) {
    return line.find("\t\t") != std::string_view::npos;
  });
  const bool cells = tabs > 1 && tabs < kMostCells;
  return cells || empty || (tabs == 1 && names)
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

/// Whether a list in brackets begins in the first cell, behind a blank: "u1 [a, b]".
bool opens_a_list(const Words& lines, std::string_view mark) {
  return all(lines, [&](std::string_view line) {
    const Words words = words_of(cells_of_line(line, mark)[0], kBlanks);
    return words.size() > 1 && std::string_view("[{(").find(words.back()[0]) != std::string::npos;
  });
}

/// What parts words: a tab or blank each, else runs of them.
std::string blank_between(const Words& lines) {
  const auto any = [&](std::string_view text) {
    return std::any_of(lines.begin(), lines.end(), [text](std::string_view line) {
      return line.find(text) != std::string_view::npos;
    });
  };
  if (usual_count(lines, "\t") > 0 || !any(" ")) return "\t";
  const bool padded = std::any_of(lines.begin(), lines.end(), [](std::string_view line) {
    return line.starts_with(' ') || line.ends_with(' ');
  });
  return std::string(padded || any("  ") || any("\t") ? kBlankRuns : " ");
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

TableGuess of_marked(MarkedLines lines) {
  return {std::move(lines.sign),   " ",           false,
          std::move(lines.remedy), lines.is_text, lines.is_advice};
}

/// Lines behind a comment, which are read without it.
TableGuess below_comment(const Words& lines, MarkedLines comment) {
  const char mark = trim(lines[0])[0];
  Words rest;
  std::copy_if(lines.begin(), lines.end(), std::back_inserter(rest),
               [mark](std::string_view line) { return !trim(line).starts_with(mark); });
  // The first line of Matrix Market's files is the size of the matrix.
  std::string command =
      fmt::format("grep -v '^{}{}' FILE", lines[0].starts_with(mark) ? "" : "[[:blank:]]*", mark);
  if (lines[0].starts_with("%%MatrixMarket") && !rest.empty()) {
    rest.erase(rest.begin());
    command += " | tail -n +2";
  }
  const auto guess = rest.empty() ? std::nullopt : guess_table(rest);
  if (guess && guess->remedy.empty())
    comment.remedy =
        fmt::format("`{} | recloom data stats - {}`", command, settings_for(rest, *guess));
  return of_marked(std::move(comment));
}

/// Names in line 1 which the other lines have not: "user 17 item 4" is no header of "user 9 item
/// 3".
std::string sign_of_header(const Words& lines) {
  const std::string sign = header_sign(lines[0]);
  if (sign.empty() || lines.size() < 2) return sign;
  const auto same = std::count_if(lines.begin() + 1, lines.end(),
                                  [&](std::string_view line) { return header_sign(line) == sign; });
  return 2 * same >= static_cast<std::ptrdiff_t>(lines.size() - 1) ? "" : sign;
}

/// The option that makes awk part lines so.
std::string awk_separator(const std::string& separator) {
  if (separator == " " || separator == kBlankRuns) return "";
  if (separator == "\t") return "-F'\\t' ";
  return fmt::format("-F'{}' ", separator == "|" ? "[|]" : separator);
}

/// Whether a cell has several words with digits, as lists of ids have.
bool is_list(std::string_view cell) {
  const Words words = words_of(cell, kBlanks);
  return words.size() > 1 && std::all_of(words.begin(), words.end(), [](std::string_view word) {
           return word.find_first_of("0123456789") != std::string_view::npos &&
                  kind_of(word) != CellKind::date && !is_clock(word);
         });
}

/// Where one column holds lists of items, return a command that writes a row for each item and
/// reads that; else "".
std::string with_parted_lists(const Rows& rows, const std::string& separator, bool has_header) {
  if (separator == " " || separator == kBlankRuns) return "";
  std::vector<std::size_t> lists;
  for (std::size_t at = 1; at < rows[0].size(); ++at) {
    const auto n = std::count_if(rows.begin(), rows.end(), [at](const Words& row) {
      return at < row.size() && is_list(row[at]);
    });
    if (2 * n >= static_cast<std::ptrdiff_t>(rows.size())) lists.push_back(at);
  }
  if (lists.size() != 1) return "";
  Rows parted;
  for (const Words& row : rows) {
    const Words items = lists[0] < row.size() ? words_of(row[lists[0]], kBlanks) : Words();
    for (const std::string_view item : items) {
      parted.push_back(row);
      parted.back()[lists[0]] = item;
    }
  }
  return fmt::format(
      "`awk {0}-v OFS='\\t' '{{n = split(${1}, a, \" \"); for (i = 1; i <= n; i++) {{${1} = a[i]; "
      "print}}}}' FILE | recloom data stats - {2}`",
      awk_separator(separator), lists[0] + 1, roles_as_settings(parted, "\t", has_header));
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
  return blank_between(lines);
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
  if (auto comment = find_comment(lines[0])) return below_comment(lines, std::move(*comment));
  if (auto text = find_free_text(lines)) return of_marked(std::move(*text));
  TableGuess guess;
  guess.separator = blank_between(lines);
  guess.sign = sign_of_header(lines);
  const bool named = !guess.sign.empty();
  if (!named && has_quoted_words(lines, '"')) {
    guess.sign = "cells in double quotes, parted by blanks";
  } else {
    if (!named) guess.sign = sign_of_separators(lines);
    if (!guess.sign.empty()) guess.separator = wide_separator(lines, likely_separator(lines));
  }
  if (guess.sign.empty() ||
      (!named && (parts_a_list(lines, guess.separator) || opens_a_list(lines, guess.separator)))) {
    if (auto groups = find_item_groups(lines)) return of_marked(std::move(*groups));
    if (auto marked = find_marks(lines)) return of_marked(std::move(*marked));
  }
  if (guess.sign.empty()) guess.sign = sign_of_cells(lines);
  if (guess.sign.empty()) {
    if (auto prose = find_prose(lines)) return of_marked(std::move(*prose));
    return std::nullopt;
  }
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
  // Row names that the header has no name for.
  if (table.has_header && width == rows[0].size() + 1)
    for (std::size_t row = 1; row < rows.size(); ++row)
      if (rows[row].size() == width) rows[row].erase(rows[row].begin());
  if (!table.has_header)
    std::erase_if(rows, [width](const Words& row) { return row.size() != width; });
  // Nobody names so many columns: these are lists of items.
  constexpr std::size_t kMostColumns = 40;
  if (!table.has_header && width > kMostColumns) {
    const bool blanks = table.separator == " " || table.separator == kBlankRuns;
    return fmt::format("`sed 's/{}/ /g' FILE | recloom data stats - {}`",
                       blanks                    ? "[[:blank:]]"
                       : table.separator == "|"  ? "[|]"
                       : table.separator == "\t" ? "\\t"
                                                 : table.separator,
                       set_option("data.format", std::string("sequences")));
  }
  const bool quoted = std::any_of(lines.begin(), lines.end(), [](std::string_view line) {
    return line.find('"') != std::string_view::npos;
  });
  if (quoted) return roles_as_settings(rows, table.separator, table.has_header);
  const std::string parted = with_parted_lists(rows, table.separator, table.has_header);
  if (!parted.empty()) return parted;
  const std::string settings = roles_as_settings(rows, table.separator, table.has_header);
  if (n_of_width.size() == 1 || table.has_header) return settings;
  return fmt::format("`awk {}'NF == {}' FILE | recloom data stats - {}`",
                     awk_separator(table.separator), width, settings);
}

}  // namespace recloom
