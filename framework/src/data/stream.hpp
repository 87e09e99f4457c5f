#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "recloom/core/export.hpp"

namespace recloom {

/// Bytes of a file, decompressed on the way. Memory use does not depend on the size of the file.
class RECLOOM_API ByteStream {
 public:
  virtual ~ByteStream();
  /// Fill `into` as far as there are bytes: fewer than its size only at the end of the file.
  /// @throws DataError damaged or truncated archive; IoError the file cannot be read.
  virtual std::size_t read(std::span<char> into) = 0;
};

/// Open a plain, gzip or zstd file. What it is follows from its first bytes; a file that is called
/// .gz or .zst but is no such archive is an error.
/// @throws IoError no such file, a folder, no permission; DataError no archive.
RECLOOM_API std::unique_ptr<ByteStream> open_stream(const std::string& file);

}  // namespace recloom
