#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/first_lines.hpp"
#include "recloom/core/export.hpp"

namespace recloom {

/// Lines that look like rows of a table.
struct TableGuess {
  std::string sign;       ///< Why: "lines of 4 cells, the last of them a time".
  std::string separator;  ///< What stands between cells.
  bool has_header = false;
  std::string remedy;  ///< A command that reads lines which are no table; else settings do.
  bool is_text = false, is_advice = false;  ///< As of MarkedLines.
};

/// Return what lines look like if something speaks for a table, nothing if they may well be lines
/// of "user item item ...".
RECLOOM_API std::optional<TableGuess> guess_table(const Words& lines);

/// Return what makes a line look like a header: "line 1 has the names 'user' and 'item'". "" if it
/// has no names of users and of something else.
RECLOOM_API std::string header_sign(std::string_view line);

/// Return why the first line of a table is no header but a row like those behind it: "line 1 has
/// the time '978300001', as the lines after it have". "" if it may be a header.
/// @param certain only look for what no header has: times, dates and decimal numbers.
RECLOOM_API std::string sign_of_no_header(const Words& lines, std::string_view separator,
                                          bool certain);
/// The same of the cells of rows, the first of which may be the only one.
std::string sign_of_no_header(const std::vector<Words>& rows, bool certain);

/// Whether cells are numbers that go up by one: names that columns are given by their position.
bool counts_up(const Words& cells, std::size_t from);

/// Return the separator that stands in every line equally often, else one of the first line.
RECLOOM_API std::string likely_separator(const Words& lines);

/// Return the settings that read lines as a table, to be pasted behind a command, or its remedy:
/// --set 'data.columns=["user_id", "item_id", "timestamp"]'. Names are a guess from the content.
RECLOOM_API std::string settings_for(const Words& lines, const TableGuess& table);

}  // namespace recloom
