#pragma once
#include <cstddef>
#include <string_view>

#include "recloom/core/export.hpp"

namespace recloom {

/// Return the number of bytes of the UTF-8 character that text begins with, 0 if it begins with
/// none (overlong forms, surrogates and code points above U+10FFFF are none).
RECLOOM_API std::size_t utf8_length(std::string_view text) noexcept;
RECLOOM_API bool is_utf8(std::string_view text) noexcept;

}  // namespace recloom
