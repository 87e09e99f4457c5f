#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "recloom/core/export.hpp"

namespace recloom {

/// Return the number of bytes of the UTF-8 character that text begins with, 0 if it begins with
/// none (overlong forms, surrogates and code points above U+10FFFF are none).
RECLOOM_API std::size_t utf8_length(std::string_view text) noexcept;
RECLOOM_API bool is_utf8(std::string_view text) noexcept;

/// Return text as UTF-8: each byte that is none becomes \xE9, all else stays.
RECLOOM_API std::string as_utf8(std::string_view text);
/// The same for names of files, so that unescape_bytes() gives the name back: a backslash that
/// would begin such an escape becomes one itself, \x5C. Names of files are bytes on Linux, and
/// neither TOML nor JSON can hold others than UTF-8.
RECLOOM_API std::string escape_bytes(std::string_view name);
RECLOOM_API std::string unescape_bytes(std::string_view text);

}  // namespace recloom
