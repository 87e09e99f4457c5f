#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recloom/core/export.hpp"

namespace recloom {

using Words = std::vector<std::string_view>;

/// The first lines of a file that are not blank and whose end is known, without their ends.
struct FirstLines {
  Words lines;
  std::size_t n_before = 0;  ///< Blank lines before the first of them.
};
/// @param head the first bytes of a file; must outlive the result.
RECLOOM_API FirstLines first_lines(std::string_view head);

/// Return what stands between any of these characters, without empty words.
RECLOOM_API Words words_of(std::string_view line, std::string_view separators);
/// Return the cells of a line, empty ones too. Within double quotes nothing separates; the quotes
/// are cut off, doubled ones stay.
/// @param separator not empty.
RECLOOM_API Words cells_of_line(std::string_view line, std::string_view separator);
/// Whether a line has a cell of each of these names, blanks around it aside.
bool has_cells(std::string_view line, std::string_view separator,
               const std::vector<std::string_view>& names);
/// Return the separator that gives a line a cell of each of these names, if there is one.
std::optional<std::string> separator_with(std::string_view line,
                                          const std::vector<std::string_view>& names);
/// Return how often `mark` occurs outside of double quotes that stand at the beginning of a cell.
RECLOOM_API std::size_t count_of(std::string_view line, std::string_view mark);

/// Letters and digits in small letters: "User_ID" is "userid", "UTF-8" is "utf8".
std::string bare_name(std::string_view word);

/// What can be seen of a cell by itself.
enum class CellKind { empty, word, integer, decimal, unix_time, date };
RECLOOM_API CellKind kind_of(std::string_view cell);
/// A day as a number, 20140202.
RECLOOM_API bool is_day_number(std::string_view cell);
/// A time of day, "18:05" and what may follow.
RECLOOM_API bool is_clock(std::string_view cell);
/// A number from 0 to 10, as ratings and flags are.
RECLOOM_API bool is_rating(std::string_view cell);
/// Whether cells are decimal numbers from -180 to 180, some of them with three or more digits
/// behind the point.
RECLOOM_API bool are_coordinates(const Words& cells);

}  // namespace recloom
