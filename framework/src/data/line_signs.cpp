// What speaks against lines of "user item item ...": what their words are, and what stands beside
// them.
#include "data/line_signs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "core/text.hpp"
#include "data/column_contrast.hpp"

namespace recloom {
namespace {

using Rows = std::vector<Words>;

constexpr std::string_view kBlanks = " \t";
constexpr std::size_t kFewestCells = 3;
constexpr std::size_t kMostCells = 12;  // Longer lines are hardly those of a log of events.

/// Nine of ten.
bool nearly_all(std::size_t n, std::size_t of) { return n > 0 && 10 * n >= 9 * of; }

/// All of a few but one, too.
bool all_but_few(std::size_t n, std::size_t of) {
  return nearly_all(n, of) || (of >= 3 && n + 1 == of);
}

template <class Is>
std::size_t count_if(const Words& words, Is is) {
  return static_cast<std::size_t>(std::count_if(words.begin(), words.end(), is));
}
template <class Is>
bool nearly_all_are(const Words& words, Is is) {
  return nearly_all(count_if(words, is), words.size());
}
template <class Is>
bool half_are(const Words& words, Is is) {
  return 2 * count_if(words, is) >= words.size();
}

bool is_number(std::string_view word) {
  const CellKind kind = kind_of(word);
  return kind != CellKind::word && kind != CellKind::empty;
}
bool is_word(std::string_view word) { return kind_of(word) == CellKind::word; }
auto of_kind(CellKind kind) {
  return [kind](std::string_view cell) { return kind_of(cell) == kind; };
}

/// What happened, or a share: nothing that items are called.
bool is_event(std::string_view word) {
  constexpr std::array<std::string_view, 36> kEvents = {
      "true",       "false",     "yes",         "no",        "click",   "clicks",
      "clicked",    "view",      "views",       "viewed",    "pv",      "pageview",
      "impression", "buy",       "bought",      "purchase",  "order",   "ordered",
      "cart",       "addtocart", "add_to_cart", "like",      "liked",   "dislike",
      "likes",      "fav",       "favorite",    "favourite", "wish",    "transaction",
      "purchased",  "play",      "played",      "skip",      "skipped", "share"};
  std::string name(word);
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (std::find(kEvents.begin(), kEvents.end(), name) != kEvents.end()) return true;
  return word.ends_with('%') && is_number(word.substr(0, word.size() - 1));
}

/// The lines that have as many words as most.
struct Grid {
  std::size_t n_lines = 0, n_cells = 0, n_wider = 0;
  Rows rows;
  std::vector<Words> columns;

  explicit Grid(const Words& lines) : n_lines(lines.size()) {
    std::map<std::size_t, std::size_t> n_of_width;
    Rows all;
    for (const std::string_view line : lines) {
      all.push_back(words_of(line, kBlanks));
      ++n_of_width[all.back().size()];
    }
    const auto most = std::max_element(
        n_of_width.rbegin(), n_of_width.rend(),
        [](const auto& one, const auto& other) { return one.second < other.second; });
    n_cells = most->first;
    for (const auto& [width, n] : n_of_width) n_wider += width > n_cells ? n : 0;
    columns.resize(n_cells);
    for (Words& row : all) {
      if (row.size() != n_cells) continue;
      for (std::size_t at = 0; at < n_cells; ++at) columns[at].push_back(row[at]);
      rows.push_back(std::move(row));
    }
  }
  /// Equally many words in every line, but for a few.
  bool is_even() const { return all_but_few(rows.size(), n_lines); }
  bool is_mostly_even() const { return 2 * rows.size() >= n_lines; }
  /// At least two of three lines are whole rows, the others lack cells.
  bool is_cut() const { return 3 * rows.size() >= 2 * n_lines && n_wider == 0; }
};

/// Whether the first words repeat: lines of sequences mostly have a user each.
bool repeats(const Words& words) {
  return std::set<std::string_view>(words.begin(), words.end()).size() < words.size();
}
std::size_t n_distinct(const Words& words) {
  return std::set<std::string_view>(words.begin(), words.end()).size();
}

std::string cells_text(const Grid& grid) {
  return fmt::format("lines of {} cells, ", grid.n_cells);
}

/// Dates and coordinates: no item is called so.
std::string sign_of_measures(const Words& lines, const Grid& grid) {
  const bool even = grid.is_mostly_even() && grid.n_cells >= kFewestCells;
  for (std::size_t at = 0; even && at < grid.n_cells; ++at) {
    if (nearly_all_are(grid.columns[at], of_kind(CellKind::date))) {
      const bool clock = at + 1 < grid.n_cells && nearly_all_are(grid.columns[at + 1], is_clock);
      return cells_text(grid) +
             (clock ? "one of them a date, the next its time of day" : "one of them a date");
    }
    if (at > 0 && are_coordinates(grid.columns[at]))
      return cells_text(grid) + "some of them coordinates";
    if (at > 0 && nearly_all_are(grid.columns[at], is_day_number))
      return cells_text(grid) + "one of them days as numbers";
    if (at > 0 && nearly_all_are(grid.columns[at], is_clock))
      return cells_text(grid) + "one of them a time of day";
  }
  const bool dated = half_are(lines, [](std::string_view line) {
    const Words words = words_of(line, kBlanks);
    return std::any_of(words.begin(), words.end(), of_kind(CellKind::date));
  });
  if (dated) return "dates in most lines";
  const bool marked = half_are(lines, [](std::string_view line) {
    const Words words = words_of(line, kBlanks);
    return std::count(words.begin(), words.end(), "-1") > 0 && words.back() == "-2";
  });
  return marked ? "-1 and -2 behind items, as SPMF marks the ends of sets and sequences" : "";
}

/// Unix times beside other words: where all items look like times, they are numbers of ten digits.
std::string sign_of_times(const Grid& grid) {
  if (!grid.is_mostly_even() || grid.n_cells < kFewestCells) return "";
  std::size_t n_times = 0, last_time = 0;
  const auto is_time = of_kind(CellKind::unix_time);
  for (std::size_t at = 1; at < grid.n_cells; ++at) {
    if (!nearly_all_are(grid.columns[at], is_time)) continue;
    ++n_times;
    last_time = at;
  }
  // A single row tells less.
  const bool enough = grid.rows.size() > 1 || (n_times == 1 && grid.n_cells <= kMostCells);
  if (n_times > 0 && n_times + 1 < grid.n_cells && enough)
    return cells_text(grid) +
           (last_time + 1 == grid.n_cells ? "the last of them a time" : "one of them a time");
  const bool first = n_times == 0 && grid.n_cells <= kMostCells &&
                     nearly_all_are(grid.columns[0], is_time) && grid.is_even();
  return first ? cells_text(grid) + "the first of them a time" : "";
}

/// Words of column `at` that stand in no other one behind the first, and are few.
bool are_categories(const Grid& grid, std::size_t at) {
  const Words& cells = grid.columns[at];
  constexpr std::size_t kMostWithCategories = 5, kEnough = 5;
  if (grid.n_cells > kMostWithCategories || !repeats(cells) || !nearly_all_are(cells, is_word))
    return false;
  std::size_t most_distinct = 0;
  for (std::size_t other = 1; other < grid.n_cells; ++other) {
    if (other == at) continue;
    const Words& words = grid.columns[other];
    most_distinct = std::max(most_distinct, n_distinct(words));
    const std::set<std::string_view> items(words.begin(), words.end());
    if (std::any_of(cells.begin(), cells.end(),
                    [&](std::string_view cell) { return items.contains(cell); }))
      return false;
  }
  const std::size_t n = n_distinct(cells);
  return repeats(grid.columns[0]) ||
         (cells.size() >= kEnough && 2 * n <= cells.size() && 2 * n <= most_distinct);
}

/// What is said of a pair of a user and an item: a rating, a number, what happened.
std::string sign_of_values(const Grid& grid) {
  const bool even = grid.is_even();
  if (grid.n_cells < kFewestCells || grid.n_cells > kMostCells || (!even && !grid.is_cut()))
    return "";
  for (std::size_t at = 1; at < grid.n_cells; ++at)
    if (nearly_all_are(grid.columns[at], is_event))
      return cells_text(grid) +
             fmt::format("one of them '{}' and the like", printable(grid.columns[at][0]));
  // The last first: what is said of an item stands behind it.
  for (std::size_t at = grid.n_cells; --at > 0;)
    if (are_categories(grid, at))
      return cells_text(grid) +
             fmt::format("one of them a few words such as '{}'", printable(grid.columns[at][0]));
  if (!even) return "";
  const Words& last = grid.columns.back();
  const Words& before = grid.columns[grid.n_cells - 2];
  const bool rated = nearly_all_are(last, is_rating);
  // A user of several lines, each with as many items, is rarer than one of several ratings.
  if (grid.rows.size() > 1 && repeats(grid.columns[0]) && nearly_all_are(last, is_number))
    return cells_text(grid) + (rated ? "the last of them a rating" : "the last of them a number");
  constexpr std::size_t kEnough = 3;
  const bool only_last = grid.rows.size() >= kEnough && !nearly_all_are(before, is_rating);
  if (rated && grid.n_cells == kFewestCells && only_last)
    return cells_text(grid) + "the last of them a rating";
  const bool decimal = nearly_all_are(last, of_kind(CellKind::decimal)) &&
                       !half_are(before, of_kind(CellKind::decimal));
  return decimal ? cells_text(grid) + "the last of them a decimal number" : "";
}

/// Numbers that are measured, not counted: no items are called so.
std::string sign_of_decimals(const Words& lines) {
  constexpr std::size_t kEnough = 10;
  std::set<std::string_view> distinct;
  std::size_t count = 0, n_decimals = 0, n_broken = 0, n_negative = 0;
  for (const std::string_view line : lines) {
    const Words words = words_of(line, kBlanks);
    for (std::size_t at = 1; at < words.size(); ++at, ++count) {
      const std::string_view value = words[at].substr(words[at].find(':') + 1);
      const bool decimal = kind_of(value) == CellKind::decimal;
      n_decimals += decimal ? 1 : 0;
      n_broken += decimal && !value.ends_with(".0") ? 1 : 0;
      n_negative += is_number(words[at]) && words[at].starts_with('-') ? 1 : 0;
      distinct.insert(words[at]);
    }
  }
  if (count >= kEnough && n_decimals == count && 10 * distinct.size() >= 9 * count)
    return "lines of decimal numbers, nearly all different";
  if (2 * n_broken >= count && n_broken >= kEnough) return "decimal numbers among the words";
  return 5 * n_negative >= count && n_negative > 1 ? "negative numbers among the words" : "";
}

/// Words in line 1 where all other lines have numbers.
std::string sign_of_words_over_numbers(const Words& lines) {
  if (lines.size() < 3) return "";
  const Words names = words_of(lines[0], kBlanks);
  const auto has_digit = [](std::string_view word) {
    return word.find_first_of("0123456789") != std::string_view::npos;
  };
  if (names.size() < 2 || std::any_of(names.begin(), names.end(), has_digit)) return "";
  const Words rest(lines.begin() + 1, lines.end());
  const bool numbers = nearly_all_are(rest, [&](std::string_view line) {
    const Words words = words_of(line, kBlanks);
    return words.size() > 1 && has_digit(words[0]) && has_digit(words[1]);
  });
  if (!numbers) return "";
  return fmt::format("line 1 has the words '{}' and '{}', the other lines have numbers there",
                     printable(names[0]), printable(names[1]));
}

/// Whether the words of each row are numbers that ascend: sets are often written so.
bool are_sorted(const Grid& grid) {
  return std::all_of(grid.rows.begin(), grid.rows.end(), [](const Words& row) {
    double before = -INFINITY, value = 0;
    for (std::size_t at = 1; at < row.size(); ++at, before = value)
      if (!parse_number(row[at], value) || value < before) return false;
    return true;
  });
}

/// Columns that hold things of different kinds.
std::string sign_of_contrast(const Grid& grid) {
  if (grid.n_cells < kFewestCells || grid.rows.size() < 2) return "";
  const bool even = grid.is_even();
  if (!even && (!grid.is_cut() || grid.rows.size() < 3)) return "";
  constexpr std::size_t kMany = 8, kNarrow = 5;
  if (grid.rows.size() < kMany && grid.n_cells > kNarrow) return "";  // Too many pairs of columns.
  const bool sizes = grid.n_cells <= kMostCells && (even || !are_sorted(grid));
  const std::string contrast = contrast_of(grid.columns, 1, sizes);
  return contrast.empty() ? "" : cells_text(grid) + contrast + " in columns that are not alike";
}

std::string sign_of_grid(const Words& lines) {
  const Grid grid(lines);
  std::string sign = sign_of_measures(lines, grid);
  if (sign.empty()) sign = sign_of_times(grid);
  if (sign.empty()) sign = sign_of_values(grid);
  return sign.empty() ? sign_of_contrast(grid) : sign;
}

/// Behind a command that writes the log as lines of words.
std::string piped(std::string_view command) {
  return fmt::format("`{} | recloom data stats -`", command);
}

/// A word of an item and a number, as "10:5".
bool is_rated_item(std::string_view word) {
  const std::size_t mark = word.find(':');
  return mark != std::string_view::npos && mark > 0 && is_number(word.substr(mark + 1));
}

/// "1 2:5 3:4". Words "item:17" of one prefix are names.
bool are_rated_items(const Words& lines) {
  std::set<std::string_view> prefixes;
  const bool all = nearly_all_are(lines, [&](std::string_view line) {
    Words words = words_of(line, kBlanks);
    const bool named = words[0].find(':') != std::string_view::npos;
    words.erase(words.begin());
    for (const std::string_view word : words) prefixes.insert(word.substr(0, word.find(':')));
    return !named && !words.empty() && std::all_of(words.begin(), words.end(), is_rated_item);
  });
  return all && (prefixes.size() > 1 || is_number(*prefixes.begin()));
}

/// "u1 a/5 b/3".
bool are_items_with_ratings(const Words& lines, char mark) {
  return nearly_all_are(lines, [mark](std::string_view line) {
    const Words words = words_of(line, kBlanks);
    return words.size() > 1 &&
           std::all_of(words.begin() + 1, words.end(), [mark](std::string_view word) {
             const std::size_t at = word.rfind(mark);
             return at != std::string_view::npos && at > 0 && is_rating(word.substr(at + 1));
           });
  });
}

/// A mark in or behind the first word of a line, and nowhere else: "1: 2 3 4", "1,2 3 4".
bool ends_users(const Words& lines, std::string_view mark) {
  return half_are(lines, [mark](std::string_view line) {
    const Words words = words_of(line, kBlanks);
    const auto has = [mark](std::string_view word) {
      return word.find(mark) != std::string_view::npos;
    };
    return words.size() > 1 && has(words[0]) && std::none_of(words.begin() + 1, words.end(), has);
  });
}

bool have_brackets(const Words& lines) {
  return half_are(lines, [](std::string_view line) {
    const Words words = words_of(line, kBlanks);
    const auto opens = [](std::string_view word) {
      return std::string_view("[{(").find(word[0]) != std::string_view::npos;
    };
    const bool closed = std::string_view("]})").find(words.back().back()) != std::string_view::npos;
    return closed && std::any_of(words.begin(), words.end(), opens);
  });
}

bool have_names(const Words& lines) {
  return nearly_all_are(lines, [](std::string_view line) {
    const Words words = words_of(line, kBlanks);
    return words.size() > 1 && std::all_of(words.begin(), words.end(), [](std::string_view word) {
             const std::size_t at = word.find('=');
             return at != std::string_view::npos && at > 0 && at + 1 < word.size() &&
                    word[at + 1] != '=';
           });
  });
}

}  // namespace

std::size_t usual_count(const Words& lines, std::string_view mark) {
  std::map<std::size_t, std::size_t> n_lines;
  for (const std::string_view line : lines) ++n_lines[count_of(line, mark)];
  for (const auto& [count, n] : n_lines)
    if (all_but_few(n, lines.size())) return count;
  return 0;
}

std::string sign_of_cells(const Words& lines) {
  std::string sign = sign_of_grid(lines);
  // The first line may be a header of names that nobody has thought of.
  if (sign.empty() && lines.size() > 2) sign = sign_of_grid(Words(lines.begin() + 1, lines.end()));
  if (sign.empty()) sign = sign_of_words_over_numbers(lines);
  return sign.empty() ? sign_of_decimals(lines) : sign;
}

bool has_quoted_words(const Words& lines, char quote) {
  return std::any_of(lines.begin(), lines.end(), [quote](std::string_view line) {
    for (std::size_t at = 0; (at = line.find(quote, at)) != std::string_view::npos; ++at) {
      if (at > 0 && kBlanks.find(line[at - 1]) == std::string_view::npos) continue;
      const std::size_t end = line.find(quote, at + 1);
      const bool alone = end + 1 == line.size() && at == 0;
      if (end == std::string_view::npos || alone) continue;
      if (end + 1 == line.size() || kBlanks.find(line[end + 1]) != std::string_view::npos)
        return true;
    }
    return false;
  });
}

std::optional<MarkedLines> find_comment(std::string_view line) {
  const std::string_view first = words_of(line, kBlanks)[0];
  if (first != "#" && first != "%" && !first.starts_with("%%")) return std::nullopt;
  return MarkedLines{fmt::format("line 1 is a comment behind '{}'", first),
                     piped(fmt::format("grep -v '^{}{}' FILE",
                                       line.front() == first[0] ? "" : "[[:blank:]]*", first[0]))};
}

std::optional<MarkedLines> find_marks(const Words& lines) {
  const bool blanks =
      half_are(lines, [](std::string_view line) { return words_of(line, kBlanks).size() > 1; });
  if (have_brackets(lines))
    return MarkedLines{"lists in brackets", piped(R"(tr "[](){},;:'\"" " " <FILE)")};
  if (!blanks) return std::nullopt;
  if (has_quoted_words(lines, '\''))
    return MarkedLines{"words in single quotes", piped(R"(tr -d "'" <FILE)")};
  if (have_names(lines))
    return MarkedLines{"words of a name, '=' and a value", piped("sed 's/[^ ]*=//g' FILE")};
  if (are_rated_items(lines))
    return MarkedLines{"words of an item, ':' and a number", piped("sed 's/:[^ ]*//g' FILE")};
  for (const char mark : {'/', '@', '~'})
    if (are_items_with_ratings(lines, mark))
      return MarkedLines{
          fmt::format("words of an item, '{}' and a number", mark),
          piped(fmt::format("sed -E 's#[{}][0-9.]+([[:blank:]]|$)# #g' FILE", mark))};
  for (const std::string_view mark : {"::", ":", ",", ";", "|"}) {
    if (ends_users(lines, mark))
      return MarkedLines{fmt::format("lines with '{}' behind the first word", mark),
                         piped(fmt::format("tr '{}' ' ' <FILE", mark[0]))};
    const bool common = mark != ":" && half_are(lines, [mark](std::string_view line) {
                          return line.find(mark) != std::string_view::npos;
                        });
    if (common)
      return MarkedLines{fmt::format("'{}' beside blanks", mark),
                         piped(fmt::format("tr '{}' ' ' <FILE", mark[0]))};
  }
  return std::nullopt;
}

}  // namespace recloom
