#include "data/item_groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "config/set_option.hpp"
#include "core/text.hpp"
#include "data/column_contrast.hpp"
#include "data/column_roles.hpp"

namespace recloom {
namespace {

using Rows = std::vector<Words>;

constexpr std::string_view kBlanks = " \t";

bool is_time(std::string_view word) {
  const CellKind kind = kind_of(word);
  return kind == CellKind::unix_time || kind == CellKind::date;
}

Rows rows_of(const Words& lines) {
  Rows rows;
  for (const std::string_view line : lines) rows.push_back(words_of(line, kBlanks));
  return rows;
}

/// A command that writes a row for each event, of which `print` writes one, and reads them.
std::string rewritten(std::string_view print, const Rows& rows) {
  return fmt::format("`awk '{{{}}}' FILE | recloom data stats - {}`", print,
                     roles_as_settings(rows, "\t", false));
}

/// Rows of a user and `size` words, out of all lines.
Rows events_of(const Rows& lines, std::size_t size) {
  Rows events;
  for (const Words& words : lines) {
    for (std::size_t at = 1; at < words.size(); at += size) {
      Words event = {words[0]};
      event.insert(event.end(), words.begin() + static_cast<std::ptrdiff_t>(at),
                   words.begin() + static_cast<std::ptrdiff_t>(at + size));
      events.push_back(std::move(event));
    }
  }
  return events;
}

std::vector<Words> columns_of(const Rows& rows) {
  std::vector<Words> columns(rows[0].size());
  for (const Words& row : rows)
    for (std::size_t at = 0; at < row.size(); ++at) columns[at].push_back(row[at]);
  return columns;
}

/// Whether the words that stand `size` behind each other are alike: else lines of one length are
/// rows of a wide table.
bool goes_on(const Rows& lines, std::size_t size) {
  const bool even = std::all_of(lines.begin(), lines.end(), [&](const Words& words) {
    return words.size() == lines[0].size();
  });
  if (!even) return true;
  const std::vector<Words> columns = columns_of(lines);
  for (std::size_t first = 1; first <= size; ++first) {
    std::vector<Words> alike;
    for (std::size_t at = first; at < columns.size(); at += size) alike.push_back(columns[at]);
    if (!contrast_of(alike, 0, true).empty()) return false;
  }
  return true;
}

std::optional<MarkedLines> find_groups(const Rows& lines, std::size_t size) {
  bool any = false;
  for (const Words& words : lines) {
    if (words.size() < 2 || (words.size() - 1) % size != 0) return std::nullopt;
    any = any || words.size() > 1 + size;
  }
  if (!any || !goes_on(lines, size)) return std::nullopt;
  const Rows events = events_of(lines, size);
  const std::string contrast = contrast_of(columns_of(events), 1, true);
  if (contrast.empty()) return std::nullopt;
  std::string cells = "$1";
  for (std::size_t at = 0; at < size; ++at)
    cells += at == 0 ? R"( "\t" $i)" : fmt::format(R"( "\t" $(i + {}))", at);
  return MarkedLines{
      fmt::format("lines of a user and {} words for each event, such as {}", size, contrast),
      rewritten(fmt::format("for (i = 2; i < NF; i += {}) print {}", size, cells), events)};
}

/// "u1 a@1300000000 b@1300000100".
std::optional<MarkedLines> find_marked_times(const Rows& lines) {
  for (const std::string_view mark : {":", "@", ",", ";", "|", "/", "=", "^", "~", "#", "_"}) {
    Rows events;
    bool all = true;
    for (const Words& words : lines) {
      all = all && words.size() > 1;
      for (std::size_t at = 1; all && at < words.size(); ++at) {
        const std::size_t end = words[at].find(mark);
        const std::string_view time = words[at].substr(std::min(end, words[at].size() - 1) + 1);
        all = end != std::string_view::npos && end > 0 && is_time(time);
        events.push_back({words[0], words[at].substr(0, end), time});
      }
    }
    if (!all) continue;
    return MarkedLines{
        fmt::format("words of an item, '{}' and a time", mark),
        rewritten(
            fmt::format("for (i = 2; i <= NF; i++) {{n = index($i, \"{0}\"); print $1 \"\\t\" "
                        "substr($i, 1, n - 1) \"\\t\" substr($i, n + 1)}}",
                        mark),
            events)};
  }
  return std::nullopt;
}

/// "u1 3 a b c": how many items there are stands before them.
std::optional<MarkedLines> find_counts(const Rows& lines) {
  constexpr std::size_t kEnough = 3;
  std::set<std::size_t> counts;
  for (const Words& words : lines) {
    if (words.size() < 3 || words[1] != std::to_string(words.size() - 2)) return std::nullopt;
    counts.insert(words.size());
  }
  if (lines.size() < kEnough || counts.size() < 2) return std::nullopt;
  return MarkedLines{"lines with the number of their items behind the user",
                     R"(`awk '{$2 = ""; print}' FILE | recloom data stats -`)"};
}

/// "user=17 item=3 time=1300000000", the same names in each line.
std::optional<MarkedLines> find_named_cells(const Rows& lines) {
  constexpr std::size_t kFewest = 3;
  Rows rows;
  for (const Words& words : lines) {
    Words names, values;
    for (const std::string_view word : words) {
      const std::size_t mark = word.find('=');
      if (mark == 0 || mark >= word.size() - 1) return std::nullopt;
      names.push_back(word.substr(0, mark));
      values.push_back(word.substr(mark + 1));
    }
    if (rows.empty()) rows.push_back(names);
    if (names != rows[0]) return std::nullopt;
    rows.push_back(std::move(values));
  }
  if (rows[0].size() < kFewest) return std::nullopt;
  return MarkedLines{"words of a name, '=' and a value",
                     fmt::format("`sed 's/[^ ]*=//g' FILE | recloom data stats - {} {}`",
                                 set_option("data.columns", std::vector<std::string>(
                                                                rows[0].begin(), rows[0].end())),
                                 roles_as_settings(rows, " ", true))};
}

/// Lines of different lengths, of which the first, second or last word alone is a time.
std::optional<MarkedLines> find_timed_lists(const Rows& lines) {
  const bool even = std::all_of(lines.begin(), lines.end(), [&](const Words& words) {
    return words.size() == lines[0].size();
  });
  if (even) return std::nullopt;
  for (const int place : {0, 1, -1}) {
    Rows events;
    bool all = true;
    for (const Words& words : lines) {
      const std::size_t at = place < 0 ? words.size() - 1 : static_cast<std::size_t>(place);
      const std::size_t user = place == 0 ? 1 : 0;
      all = all && words.size() > 2 && is_time(words[at]) &&
            std::count_if(words.begin(), words.end(), is_time) == 1;
      for (std::size_t item = user + 1; all && item < words.size(); ++item)
        if (item != at) events.push_back({words[user], words[item], words[at]});
    }
    if (!all) continue;
    const std::string_view user = place == 0 ? "$2" : "$1";
    const std::string_view time = place < 0 ? "$NF" : place == 0 ? "$1" : "$2";
    const std::string_view last = place < 0 ? "i < NF" : "i <= NF";
    return MarkedLines{fmt::format("lines of a user, a time and items, such as '{}'",
                                   printable(events.front().back())),
                       rewritten(fmt::format(R"(for (i = {}; {}; i++) print {} "\t" $i "\t" {})",
                                             place < 0 ? 2 : 3, last, user, time),
                                 events)};
  }
  return std::nullopt;
}

/// Long rows of numbers, a few or measured ones, among which the first is one like the others.
std::optional<MarkedLines> find_matrix(const Rows& lines) {
  constexpr std::size_t kWide = 8, kFew = 12;
  std::set<std::string_view> values, first;
  std::size_t n_measured = 0;
  for (const Words& words : lines) {
    if (words.size() < kWide || words.size() != lines[0].size()) return std::nullopt;
    for (const std::string_view word : words) {
      const CellKind kind = kind_of(word);
      if (kind != CellKind::integer && kind != CellKind::decimal) return std::nullopt;
      n_measured += kind == CellKind::decimal && !word.ends_with(".0") ? 1 : 0;
    }
    values.insert(words.begin() + 1, words.end());
    first.insert(words[0]);
  }
  const bool few = values.size() <= kFew && first.size() < lines.size() && lines.size() > 2 &&
                   std::includes(values.begin(), values.end(), first.begin(), first.end());
  if (!few && 4 * n_measured < lines.size() * lines[0].size()) return std::nullopt;
  return MarkedLines{
      fmt::format("a matrix of {} columns, whose rows are users and whose columns are items",
                  lines[0].size()),
      rewritten(R"(for (i = 1; i <= NF; i++) if ($i != 0) print "u" NR "\t" "i" i "\t" $i)",
                {{"u1", "i1", "5"}, {"u1", "i2", "4"}}),
      true};
}

}  // namespace

std::optional<MarkedLines> find_item_groups(const Words& lines) {
  const Rows rows = rows_of(lines);
  if (auto found = find_named_cells(rows)) return found;
  if (auto found = find_marked_times(rows)) return found;
  if (auto found = find_counts(rows)) return found;
  if (auto found = find_matrix(rows)) return found;
  for (const std::size_t size : {2, 3})
    if (auto found = find_groups(rows, size)) return found;
  return find_timed_lists(rows);
}

}  // namespace recloom
