#pragma once
#include <optional>

#include "data/first_lines.hpp"
#include "data/line_signs.hpp"

namespace recloom {

/// Return what text that is neither a table nor lines of words looks like: logs of servers, dumps
/// of databases, tables drawn with lines, prose. What reads it where a command does, else advice.
std::optional<MarkedLines> find_free_text(const Words& lines);
/// The same of a table that psql, mysql or Markdown drew.
std::optional<MarkedLines> find_drawn_table(const Words& lines);
/// The same of what is looked for where nothing speaks for a table: sentences, words of marks
/// alone.
std::optional<MarkedLines> find_prose(const Words& lines);

}  // namespace recloom
