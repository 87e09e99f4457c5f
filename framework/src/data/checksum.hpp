#pragma once
#include <string>
#include <string_view>

#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"

namespace recloom {

/// Compare a file as it is stored with the xxh3 that was noted for it, 16 hexadecimal digits.
/// @throws DataError it is another file; ConfigError the note is no xxh3; IoError; Interrupted.
RECLOOM_API void verify_checksum(const std::string& file, std::string_view xxh3,
                                 const RunContext& run);

}  // namespace recloom
