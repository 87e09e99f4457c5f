#include "data/format_guess.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <span>
#include <vector>

#include "core/text.hpp"
#include "core/utf8.hpp"
#include "data/line_blocks.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr std::size_t kLinesToLookAt = 100;
using Words = std::vector<std::string_view>;

/// Return the first lines that are not blank and whose end is known, without their ends.
Words first_lines(std::string_view head, std::size_t& n_before) {
  Words lines;
  n_before = 0;
  while (!head.empty() && lines.size() < kLinesToLookAt) {
    const std::size_t end = head.find('\n');
    if (end == std::string_view::npos && !lines.empty()) break;
    std::string_view line = head.substr(0, end);
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!trim(line).empty()) lines.push_back(line);
    if (lines.empty()) ++n_before;
  }
  return lines;
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

std::size_t count_of(std::string_view line, std::string_view mark) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = line.find(mark, at)) != std::string_view::npos; at += mark.size())
    ++count;
  return count;
}

/// Letters and digits in lower case: "user_ID" is "userid".
std::string bare_name(std::string_view word) {
  std::string name;
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) name.push_back(static_cast<char>(std::tolower(byte)));
  }
  return name;
}

template <std::size_t N>
bool is_id_of(const std::string& name, const std::array<std::string_view, N>& things) {
  constexpr std::array<std::string_view, 8> kEndings = {"",    "s",  "id",    "ids",
                                                        "idx", "no", "index", "name"};
  return std::any_of(things.begin(), things.end(), [&](std::string_view thing) {
    return name.starts_with(thing) &&
           std::find(kEndings.begin(), kEndings.end(), name.substr(thing.size())) != kEndings.end();
  });
}

bool names_user(const std::string& name) {
  constexpr std::array<std::string_view, 10> kUsers = {"user",    "uid",      "customer", "client",
                                                       "session", "reviewer", "visitor",  "member",
                                                       "account", "buyer"};
  return is_id_of(name, kUsers);
}

bool names_other_column(const std::string& name) {
  constexpr std::array<std::string_view, 16> kItems = {
      "item", "iid",  "product", "movie", "book", "song",     "track", "artist",
      "asin", "isbn", "sku",     "video", "news", "business", "poi",   "article"};
  constexpr std::array<std::string_view, 12> kOthers = {
      "rating", "ratings", "score", "stars",    "overall",        "event",
      "time",   "date",    "ts",    "datetime", "unixreviewtime", "timestamp"};
  return is_id_of(name, kItems) || std::find(kOthers.begin(), kOthers.end(), name) != kOthers.end();
}

/// A line of sequences is not likely to hold a user and an item of such names.
std::string sign_of_names(std::string_view line) {
  std::string_view user, other;
  for (const std::string_view word : words_of(line, " \t,;|:\"'{}[]")) {
    const std::string name = bare_name(word);
    if (user.empty() && names_user(name)) {
      user = word;
    } else if (other.empty() && names_other_column(name)) {
      other = word;
    }
  }
  if (user.empty() || other.empty()) return "";
  return fmt::format("line 1 has the names '{}' and '{}'", printable(user), printable(other));
}

/// Other separators than blanks, equally many in every line.
std::string sign_of_separators(const Words& lines) {
  for (const std::string_view mark : {"::", ",", ";", "|"}) {
    const std::size_t count = count_of(lines[0], mark);
    const bool in_all = std::all_of(lines.begin(), lines.end(), [&](std::string_view line) {
      return count_of(line, mark) == count;
    });
    const bool one_word = words_of(lines[0], " \t").size() == 1;
    if (count > 0 && in_all && (one_word || lines.size() > 2))
      return fmt::format("lines of {} cells, parted by '{}'", count + 1, mark);
  }
  return "";
}

bool is_date(std::string_view cell) {
  return cell.size() >= 10 && (cell[4] == '-' || cell[4] == '/') && cell[7] == cell[4] &&
         std::all_of(cell.begin(), cell.begin() + 10, [&](const char& c) {
           const auto at = &c - cell.data();
           return at == 4 || at == 7 || std::isdigit(static_cast<unsigned char>(c)) != 0;
         });
}

/// Unix seconds from 1973 on, or finer.
bool is_unix_time(std::string_view cell) {
  constexpr double kEarliest = 1e8;
  double value = 0;
  return parse_real(cell, value) && value >= kEarliest;
}

bool is_rating(std::string_view cell) {
  constexpr double kBest = 10;
  double value = 0;
  return parse_real(cell, value) && value >= 0 && value <= kBest;
}

/// Equally many cells in every line, and what stands in them.
std::string sign_of_cells(const Words& lines) {
  constexpr std::size_t kMostCells = 6;
  std::vector<Words> rows;
  for (const std::string_view line : lines) rows.push_back(words_of(line, " \t"));
  const std::size_t n_cells = rows[0].size();
  const auto all = [&](auto holds) { return std::all_of(rows.begin(), rows.end(), holds); };
  if (n_cells < 3 || n_cells > kMostCells || rows.size() < 2) return "";
  if (!all([&](const Words& row) { return row.size() == n_cells; })) return "";
  const auto column = [&](std::size_t at, bool (*is)(std::string_view)) {
    return all([&](const Words& row) { return is(row[at]); });
  };
  const std::string cells = fmt::format("lines of {} cells, the ", n_cells);
  if (column(n_cells - 1, is_unix_time)) return cells + "last of them a time";
  for (std::size_t at = 2; at < n_cells; ++at)
    if (column(at, is_date)) return cells + "same of them a date";
  constexpr std::size_t kLeastRows = 5;
  const bool rated = n_cells == 3 && rows.size() >= kLeastRows && column(2, is_rating);
  if (rated && !column(1, is_rating)) return cells + "last of them a rating";
  const bool tabs = std::all_of(lines.begin(), lines.end(), [&](std::string_view line) {
    return count_of(line, "\t") == n_cells - 1 && line.find(' ') == std::string_view::npos;
  });
  return tabs && rows.size() > 2 ? fmt::format("lines of {} cells, parted by tabs", n_cells) : "";
}

/// Return what makes lines look like a table, or "".
std::string sign_of_table(const Words& lines) {
  std::string sign = sign_of_names(lines[0]);
  if (sign.empty()) sign = sign_of_separators(lines);
  if (sign.empty()) sign = sign_of_cells(lines);
  // The first line may be a header of names that nobody has thought of.
  if (sign.empty() && lines.size() > 2) sign = sign_of_cells({lines.begin() + 1, lines.end()});
  return sign;
}

FileFormat format_of_name(std::string_view file) {
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (file.ends_with(packed)) file.remove_suffix(packed.size());
  }
  for (const std::string_view suffix : {".inter", ".user", ".item"}) {
    if (file.ends_with(suffix)) return FileFormat::atomic;
  }
  const bool is_csv = file.ends_with(".csv") || file.ends_with(".tsv");
  return is_csv ? FileFormat::csv : FileFormat::automatic;
}

/// Look at the first line: text, or no text at all?
void check_text(const std::string& where, std::string_view line, bool is_whole) {
  // The last character of a line that is cut may be cut itself.
  while (!is_whole && !line.empty() && static_cast<unsigned char>(line.back()) >= 0x80) {
    line.remove_suffix(1);
  }
  if (line.find('\0') != std::string_view::npos || !is_utf8(line)) {
    throw DataError(where + ": binary data; expected UTF-8 text (plain, .gz or .zst)");
  }
  if (line.find('\r') != std::string_view::npos) {
    throw DataError(where +
                    ": a carriage return within the line; lines must end with a line feed "
                    "(\\n or \\r\\n)");
  }
}

}  // namespace

std::optional<char> separator_with(std::string_view line,
                                   const std::vector<std::string_view>& names) {
  for (const char separator : {'\t', ',', ';', '|', ' '}) {
    std::vector<std::string> cells = split(line, separator);
    for (std::string& cell : cells) {
      std::string_view bare = trim(cell);
      if (bare.size() > 1 && bare.front() == '"' && bare.back() == '"') {
        bare = bare.substr(1, bare.size() - 2);
      }
      cell = std::string(bare);
    }
    const bool all = std::all_of(names.begin(), names.end(), [&](std::string_view name) {
      return std::find(cells.begin(), cells.end(), name) != cells.end();
    });
    if (all) return separator;
  }
  return std::nullopt;
}

FileFormat find_format(const std::string& file, std::string_view head, const TableSyntax& syntax) {
  const bool is_all = head.size() < LineBlocks::kBlockBytes;
  if (head.starts_with(kByteOrderMark)) head.remove_prefix(kByteOrderMark.size());
  std::size_t n_before = 0;
  const Words lines = first_lines(head, n_before);
  const std::string shown = printable(file, 400);
  if (lines.empty()) {
    throw DataError(shown + (is_all ? ": the file is empty" : ": the first lines are all blank"));
  }
  const std::string_view line = lines[0];
  const std::string where = fmt::format("{}:{}", shown, n_before + 1);
  check_text(where, line, is_all || head.data() + head.size() != line.data() + line.size());
  if (syntax.format != FileFormat::automatic) return syntax.format;
  if (const FileFormat named = format_of_name(file); named != FileFormat::automatic) return named;
  if (line.find(":token") != std::string_view::npos) return FileFormat::atomic;
  if (!syntax.may_be_sequences || separator_with(line, {syntax.user_column, syntax.item_column})) {
    return FileFormat::csv;
  }
  const std::string sign = sign_of_table(lines);
  if (sign.empty()) return FileFormat::sequences;
  throw DataError(
      fmt::format("{}: this looks like a table ({}), not like lines of \"user item item ...\"; "
                  "data.format = csv with data.separator, data.user_column, data.item_column and "
                  "data.time_column reads a table with a header line, data.format = sequences "
                  "takes each line as a user and items",
                  where, sign));
}

}  // namespace recloom
