#pragma once
#include <string>
#include <string_view>

#include "recloom/core/export.hpp"

namespace recloom {

/// Tell what a file is that is no text, by its first bytes, and what to do with it; "" if it is
/// none of what is known.
RECLOOM_API std::string foreign_file(std::string_view head);

/// Say what is wrong with text that is no UTF-8 or has zero bytes, and what reads it.
/// @param head the first bytes of the file.
RECLOOM_API std::string not_utf8_text(std::string_view head);

}  // namespace recloom
