#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "recloom/core/export.hpp"

namespace recloom {

/// Return how many columns of a terminal a text takes: two for wide characters (Chinese, Japanese,
/// Korean, emoji), none for those that combine with the one before. Bytes that are no UTF-8 take
/// one each.
RECLOOM_API std::size_t columns_of(std::string_view text) noexcept;
/// Return the longest beginning of a text that takes no more than that many columns.
RECLOOM_API std::string cut_to_columns(std::string_view text, std::size_t columns);

}  // namespace recloom
