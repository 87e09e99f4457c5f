#pragma once
#include <array>
#include <string_view>
#include <vector>

namespace recloom {

inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// What is tried where nothing says what parts the cells, in this order.
inline constexpr std::array<std::string_view, 6> kSeparators = {"::", "\t", ",", ";", "|", " "};

/// The separator of columns that blanks line up: runs of blanks and tabs, of which those at the
/// ends of a line part nothing.
inline constexpr std::string_view kBlankRuns = "blanks";

/// Return the cells of a line, quotes being no more than text.
std::vector<std::string_view> plain_cells(std::string_view line, std::string_view separator);

}  // namespace recloom
