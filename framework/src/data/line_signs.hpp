#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "data/first_lines.hpp"

namespace recloom {

/// Return what is equally often in nearly all lines: how often `mark` stands in them, 0 if it does
/// not. One line in ten may differ, or one of a few.
std::size_t usual_count(const Words& lines, std::string_view mark);

/// Return what speaks for a table in lines of words parted by blanks: as many in nearly every line,
/// and what stands in them. "" if they may well be lines of "user item item ...".
std::string sign_of_cells(const Words& lines);

/// Lines that are neither rows of a table nor words parted by blanks.
struct MarkedLines {
  std::string sign;        ///< What stands beside the words.
  std::string remedy;      ///< A command to be pasted that reads the file, FILE to be filled in.
  bool is_text = false;    ///< The sign says what it is, not what the lines have.
  bool is_advice = false;  ///< The remedy is no command but what to do.
};
std::optional<MarkedLines> find_marks(const Words& lines);
/// @param line the first one.
std::optional<MarkedLines> find_comment(std::string_view line);

/// Return whether cells in quotes stand beside blanks.
bool has_quoted_words(const Words& lines, char quote);

}  // namespace recloom
