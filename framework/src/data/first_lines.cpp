#include "data/first_lines.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <string>

#include "core/text.hpp"
#include "data/plain_cells.hpp"

namespace recloom {
namespace {

constexpr std::size_t kLinesToLookAt = 100;
constexpr std::string_view kBlanks = " \t";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Match a cell's begin with a shape in which 0 is any digit and a any letter.
bool has_shape(std::string_view cell, std::string_view shape) {
  if (cell.size() < shape.size()) return false;
  return std::equal(shape.begin(), shape.end(), cell.begin(), [](char wanted, char c) {
    if (wanted == '0') return is_digit(c);
    if (wanted == 'a') return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return wanted == c;
  });
}

/// Only ways to write dates that no other cell has: all lines are looked at.
bool begins_date(std::string_view cell) {
  constexpr std::array<std::string_view, 7> kShapes = {"0000-00-00",
                                                       "0000/00/00",
                                                       "00/00/0000",
                                                       "00.00.0000",
                                                       "00-aaa-0000",
                                                       "aaa aaa 00 00:00:00 +0000 0000",
                                                       "aaa aaa 00 00:00:00 -0000 0000"};
  return std::any_of(kShapes.begin(), kShapes.end(),
                     [&](std::string_view shape) { return has_shape(cell, shape); });
}

/// 1990 to 2040, counted in seconds, milliseconds, microseconds or nanoseconds.
bool is_unix_time(double value) {
  constexpr double kFirst = 631152000, kLast = 2208988800;
  for (const double unit : {1.0, 1e3, 1e6, 1e9})
    if (value >= kFirst * unit && value < kLast * unit) return true;
  return false;
}

/// Return what stands in quotes at the beginning, and move `line` behind it; the line as a whole if
/// the quotes are not closed.
std::string_view quoted_cell(std::string_view& line) {
  std::size_t end = 1;
  while (end < line.size()) {
    if (line[end] == '"' && (end + 1 == line.size() || line[end + 1] != '"')) break;
    end += line[end] == '"' ? 2 : 1;
  }
  const std::string_view cell = line.substr(1, end - 1);
  line.remove_prefix(std::min(end + 1, line.size()));
  return cell;
}

}  // namespace

FirstLines first_lines(std::string_view head) {
  FirstLines found;
  while (!head.empty() && found.lines.size() < kLinesToLookAt) {
    const std::size_t end = head.find('\n');
    if (end == std::string_view::npos && !found.lines.empty()) break;
    std::string_view line = head.substr(0, end);
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!trim(line).empty()) found.lines.push_back(line);
    if (found.lines.empty()) ++found.n_before;
  }
  return found;
}

Words words_of(std::string_view line, std::string_view separators) {
  Words words;
  for (std::size_t at = 0;
       (at = line.find_first_not_of(separators, at)) != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(separators, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

Words cells_of_line(std::string_view line, std::string_view separator) {
  Words cells;
  const bool runs = separator == kBlankRuns;
  if (runs) line = trim(line);
  while (true) {
    std::string_view cell = line.substr(0, 0);
    const bool quoted = line.starts_with('"');
    if (quoted) cell = quoted_cell(line);
    const std::size_t end = runs ? line.find_first_of(kBlanks) : line.find(separator);
    if (!quoted) cell = line.substr(0, end);
    cells.push_back(cell);
    if (end == std::string_view::npos) return cells;
    line.remove_prefix(runs ? line.find_first_not_of(kBlanks, end) : end + separator.size());
  }
}

bool has_cells(std::string_view line, std::string_view separator,
               const std::vector<std::string_view>& names) {
  const Words cells = cells_of_line(line, separator);
  return std::all_of(names.begin(), names.end(), [&](std::string_view name) {
    return std::any_of(cells.begin(), cells.end(),
                       [&](std::string_view cell) { return trim(cell) == name; });
  });
}

std::optional<std::string> separator_with(std::string_view line,
                                          const std::vector<std::string_view>& names) {
  for (const std::string_view separator : kSeparators) {
    if (has_cells(line, separator, names)) return std::string(separator);
  }
  return std::nullopt;
}

std::size_t count_of(std::string_view line, std::string_view mark) {
  return cells_of_line(line, mark).size() - 1;
}

std::string bare_name(std::string_view word) {
  std::string name;
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) name.push_back(static_cast<char>(std::tolower(byte)));
  }
  return name;
}

CellKind kind_of(std::string_view cell) {
  cell = trim(cell);
  if (cell.empty()) return CellKind::empty;
  if (begins_date(cell)) return CellKind::date;
  double value = 0;
  const char first = cell.front();
  if (!is_digit(cell.back()) || !(is_digit(first) || first == '-' || first == '.') ||
      !parse_number(cell, value))
    return CellKind::word;
  if (is_unix_time(value)) return CellKind::unix_time;
  const bool whole = cell.find_first_not_of("-0123456789") == std::string_view::npos;
  return whole ? CellKind::integer : CellKind::decimal;
}

bool is_day_number(std::string_view cell) {
  constexpr double kFirst = 19000101, kLast = 21001231;
  cell = trim(cell);
  double value = 0;
  if (cell.size() != 8 || kind_of(cell) != CellKind::integer || !parse_number(cell, value))
    return false;
  const int month = static_cast<int>(value) / 100 % 100, day = static_cast<int>(value) % 100;
  return value >= kFirst && value <= kLast && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

bool is_clock(std::string_view cell) { return has_shape(trim(cell), "00:00"); }

bool is_rating(std::string_view cell) {
  constexpr double kBest = 10;
  const CellKind kind = kind_of(cell);
  double value = 0;
  return (kind == CellKind::integer || kind == CellKind::decimal) &&
         parse_number(trim(cell), value) && value >= 0 && value <= kBest;
}

bool are_coordinates(const Words& cells) {
  constexpr std::size_t kManyDigits = 3;
  constexpr double kLargest = 180;
  bool fine = false;
  for (std::string_view cell : cells) {
    cell = trim(cell);
    double value = 0;
    if (kind_of(cell) != CellKind::decimal || !parse_number(cell, value) ||
        std::abs(value) > kLargest)
      return false;
    const std::size_t point = cell.find('.');
    fine = fine || (point != std::string_view::npos && cell.size() - point > kManyDigits &&
                    value != std::floor(value));
  }
  return fine;
}

}  // namespace recloom
