#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "data/stream.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"

namespace recloom {

/// @param encoding a name that iconv(3) knows; of "latin-1" and the like also with its dashes.
/// @throws ConfigError naming data.encoding: unknown.
RECLOOM_API void check_encoding(const std::string& encoding);

/// Open a file of text as UTF-8, see open_stream(). Text in UTF-8 is handed on as it is; a byte
/// order mark may be left in front. @param encoding known, see check_encoding().
/// @throws DataError by read() also: bytes that are no text in this encoding, with file:line.
RECLOOM_API std::unique_ptr<ByteStream> open_text(const std::string& file,
                                                  const std::string& encoding,
                                                  const RunContext& run,
                                                  std::int64_t max_bytes = 0);

}  // namespace recloom
