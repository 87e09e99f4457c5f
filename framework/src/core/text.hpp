#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "recloom/core/export.hpp"

namespace recloom {

/// Return the candidate nearest to `word` by edit distance, or "" if none is near enough to be
/// meant; none is for a word of more than 100 bytes. A million candidates take a tenth of a second.
RECLOOM_API std::string nearest(std::string_view word, std::span<const std::string> candidates);
/// Return ", did you mean 'x'?" or "".
RECLOOM_API std::string did_you_mean(std::string_view word,
                                     std::span<const std::string> candidates);
RECLOOM_API std::vector<std::string> split(std::string_view text, char separator);
RECLOOM_API std::string_view trim(std::string_view text);
/// Parse all of `text` as a number. @return false if any of it is none.
RECLOOM_API bool parse_number(std::string_view text, double& value);
RECLOOM_API bool parse_number(std::string_view text, std::int64_t& value);
/// Digits alone. @return false also from 2^64 on.
RECLOOM_API bool parse_number(std::string_view text, std::uint64_t& value);
/// Return the text with everything that a terminal would obey made visible: control characters (C0,
/// DEL, C1), line separators, changes of direction and bytes that are no UTF-8 become \x1b.
RECLOOM_API std::string visible(std::string_view text);
/// Return the same, cut to `limit` bytes: for error messages.
RECLOOM_API std::string printable(std::string_view text, std::size_t limit = 60);
/// Return the text as a cell of a tab-separated line, or as a line: backslash, tab, line feed and
/// carriage return become \\, \t, \n and \r.
RECLOOM_API std::string escaped_cell(std::string_view text);

}  // namespace recloom
