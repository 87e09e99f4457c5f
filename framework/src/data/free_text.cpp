// Text that people have and that no settings read: what it is, and the command that makes a table
// of it.
#include "data/free_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <vector>

#include "config/set_option.hpp"
#include "core/text.hpp"
#include "data/column_roles.hpp"
#include "data/plain_cells.hpp"

namespace recloom {
namespace {

using Rows = std::vector<Words>;
using Found = std::optional<MarkedLines>;

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kAdvice =
    "no setting reads that: write the user, the item and the time of each event as a table";

template <class Holds>
bool half(const Words& lines, Holds holds) {
  return 2 * std::count_if(lines.begin(), lines.end(), holds) >=
         static_cast<std::ptrdiff_t>(lines.size());
}

std::string lower(std::string_view text) {
  std::string small(text);
  for (char& c : small) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return small;
}

std::string piped(std::string_view command, const std::string& settings) {
  return fmt::format("`{} | recloom data stats - {}`", command, settings);
}

/// host - user [10/Oct/2000:13:55:36 -0700] "GET /page HTTP/1.0" 200 2326
Found find_access_log(const Words& lines) {
  const bool all = half(lines, [](std::string_view line) {
    const Words words = words_of(line, kBlanks);
    return words.size() > 6 && words[3].starts_with('[') && words[4].ends_with(']') &&
           words[5].starts_with('"') && words[3].size() > 12 && is_clock(words[3].substr(13));
  });
  if (!all) return std::nullopt;
  const std::string columns =
      set_option("data.columns", std::vector<std::string>{"user_id", "item_id", "timestamp"});
  return MarkedLines{
      "a web server's log, whose hosts are taken for users and paths for items",
      piped(R"(awk '{print $1 "\t" $7 "\t" substr($4, 2) " " substr($5, 1, 5)}' FILE)",
            fmt::format("--set data.format=csv {} {} {}", columns,
                        set_option("data.separator", std::string("\t")),
                        set_option("data.time_format", std::string("%d/%b/%Y:%H:%M:%S %z")))),
      true};
}

bool is_month(std::string_view word) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return std::find(kMonths.begin(), kMonths.end(), word) != kMonths.end();
}

bool are_uneven(const Words& lines) {
  return std::any_of(lines.begin(), lines.end(), [&](std::string_view line) {
    return words_of(line, kBlanks).size() != words_of(lines[0], kBlanks).size();
  });
}

/// A time, then words of any number: messages of programs.
Found find_messages(const Words& lines) {
  const bool system = half(lines, [](std::string_view line) {
    const Words words = words_of(line, kBlanks);
    return words.size() > 3 && is_month(words[0]) && is_clock(words[2]);
  });
  if (system) return MarkedLines{"messages of a system log", std::string(kAdvice), true, true};
  const bool timed = half(lines, [](std::string_view line) {
    const Words words = words_of(line, kBlanks);
    const auto is_time = [](std::string_view word) {
      while (!word.empty() && (word.front() == '[' || word.front() == '(')) word.remove_prefix(1);
      return kind_of(word) == CellKind::date || is_clock(word);
    };
    return std::any_of(
        words.begin(),
        words.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(words.size(), 2)),
        is_time);
  });
  // What is equally often in all lines parts the cells of a table; but a comma may stand in a time.
  const bool parted =
      std::any_of(kSeparators.begin(), kSeparators.end(), [&](std::string_view mark) {
        const std::size_t count = mark == " " ? 0 : usual_count(lines, mark);
        return count > (mark == "," && lines[0].find(' ') != std::string_view::npos ? 1U : 0U);
      });
  if (!timed || parted || !are_uneven(lines)) return std::nullopt;
  return MarkedLines{"messages behind a time", std::string(kAdvice), true, true};
}

/// The rows of "INSERT INTO table VALUES (1,2,'x'),(3,4,'y');".
Rows tuples_of(const Words& lines) {
  Rows rows;
  for (std::string_view line : lines) {
    if (const std::size_t at = lower(line).find("values"); at != std::string::npos)
      line.remove_prefix(at);
    for (std::size_t open; (open = line.find('(')) != std::string_view::npos;) {
      const std::size_t close = line.find(')', open);
      if (close == std::string_view::npos) break;
      Words cells = plain_cells(line.substr(open + 1, close - open - 1), ",");
      for (std::string_view& cell : cells) {
        cell = trim(cell);
        while (cell.starts_with('\'')) cell.remove_prefix(1);
        while (cell.ends_with('\'')) cell.remove_suffix(1);
      }
      rows.push_back(std::move(cells));
      line.remove_prefix(close + 1);
    }
  }
  std::erase_if(rows, [&](const Words& row) { return row.size() != rows.back().size(); });
  return rows;
}

Found find_sql(const Words& lines) {
  const auto begins = [](std::string_view word) {
    return [word](std::string_view line) { return lower(trim(line)).starts_with(word); };
  };
  const auto first = [&](std::string_view word) {
    return std::find_if(lines.begin(), lines.end(), begins(word));
  };
  if (const auto copy = first("copy ");
      copy != lines.end() && lower(*copy).find(" from stdin") != std::string::npos) {
    const std::size_t open = copy->find('('), close = copy->find(')');
    Rows rows;
    if (open != std::string_view::npos && close != std::string_view::npos)
      rows.push_back(words_of(copy->substr(open + 1, close - open - 1), ", \""));
    for (auto line = copy + 1; line != lines.end() && !line->starts_with("\\."); ++line)
      rows.push_back(plain_cells(*line, "\t"));
    const bool named = rows.size() > 1 && open != std::string_view::npos;
    if (rows.empty()) return std::nullopt;
    std::string names;
    if (named)
      names = set_option("data.columns", std::vector<std::string>(rows[0].begin(), rows[0].end())) +
              " ";
    return MarkedLines{"a dump of PostgreSQL",
                       piped(R"(awk '/^\\\./ {on = 0} on; / FROM stdin;/ {on = 1}' FILE)",
                             names + roles_as_settings(rows, "\t", named)),
                       true};
  }
  if (first("insert into ") != lines.end()) {
    const Rows rows = tuples_of(lines);
    if (rows.empty()) return std::nullopt;
    return MarkedLines{
        "SQL statements",
        piped(R"(sed 's/.*VALUES//I' FILE | grep -o '([^()]*)' | tr -d "()'" | sed 's/ *, */,/g')",
              roles_as_settings(rows, ",", false)),
        true};
  }
  for (const std::string_view word :
       {"create table ", "drop table ", "-- mysql dump", "begin transaction"})
    if (begins(word)(lines[0]))
      return MarkedLines{
          "SQL statements",
          "no setting reads that: load them into a database and write a table as CSV", true, true};
  return std::nullopt;
}

bool is_frame(std::string_view line) {
  line = trim(line);
  return line.size() > 2 && line.find_first_not_of("-+|=: ") == std::string_view::npos &&
         line.find("--") != std::string_view::npos;
}

}  // namespace

std::optional<MarkedLines> find_drawn_table(const Words& lines) {
  const auto end =
      lines.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(3, lines.size()));
  if (std::none_of(lines.begin(), end, is_frame)) return std::nullopt;
  Rows rows;
  for (std::string_view line : lines) {
    if (is_frame(line) || line.find('|') == std::string_view::npos) continue;
    line = trim(line);
    if (line.starts_with('|')) line.remove_prefix(1);
    if (line.ends_with('|')) line.remove_suffix(1);
    rows.push_back(plain_cells(line, "|"));
    for (std::string_view& cell : rows.back()) cell = trim(cell);
  }
  if (rows.size() < 2) return std::nullopt;
  return MarkedLines{
      "a table drawn with lines",
      piped(
          R"(grep '|' FILE | grep '[^-+|=: ]' | sed 's/^ *|//; s/| *$//; s/ *| */|/g; s/^ *//; s/ *$//')",
          roles_as_settings(rows, "|", true)),
      true};
}

namespace {

/// "17:" and below it a line for each user: how the Netflix prize has its ratings.
Found find_blocks(const Words& lines) {
  const auto is_head = [](std::string_view line) {
    return line.ends_with(':') && line.find_first_of(" \t,") == std::string_view::npos;
  };
  Rows rows;
  std::string_view head;
  if (!is_head(lines[0])) return std::nullopt;
  for (const std::string_view line : lines) {
    if (is_head(line)) {
      head = line.substr(0, line.size() - 1);
    } else {
      Words cells = plain_cells(line, ",");
      cells.insert(cells.begin() + 1, head);
      rows.push_back(std::move(cells));
    }
  }
  const bool even = std::all_of(rows.begin(), rows.end(), [&](const Words& row) {
    return row.size() == rows[0].size() && row.size() > 2;
  });
  if (rows.empty() || !even) return std::nullopt;
  return MarkedLines{
      fmt::format("lines below '{}' and the like", printable(lines[0])),
      piped(
          R"(awk '/^[^,]*:\r?$/ {sub(/:.*/, ""); head = $0; next} {sub(/,/, "," head ","); print}' FILE)",
          roles_as_settings(rows, ",", false))};
}

}  // namespace

std::optional<MarkedLines> find_free_text(const Words& lines) {
  for (const auto find : {find_access_log, find_messages, find_sql, find_drawn_table, find_blocks})
    if (Found found = find(lines)) return found;
  return std::nullopt;
}

std::optional<MarkedLines> find_prose(const Words& lines) {
  const bool sentences = half(lines, [](std::string_view line) {
    const Words words = words_of(line, kBlanks);
    const std::string_view last = words.back();
    return words.size() > 3 && last.size() > 1 &&
           std::string_view(".!?").find(last.back()) != std::string_view::npos;
  });
  if (sentences && lines.size() > 1)
    return MarkedLines{"sentences", std::string(kAdvice), true, true};
  std::string_view mark;
  const bool marks = half(lines, [&](std::string_view line) {
    for (const std::string_view word : words_of(line, kBlanks)) {
      const bool bare = std::none_of(word.begin(), word.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               static_cast<unsigned char>(c) >= 0x80;
      });
      if (bare) {
        mark = word;
        return true;
      }
    }
    return false;
  });
  if (!marks) return std::nullopt;
  return MarkedLines{fmt::format("lines with '{}' between words", printable(mark)),
                     std::string(kAdvice), true, true};
}

}  // namespace recloom
