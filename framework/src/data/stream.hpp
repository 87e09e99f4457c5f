#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"

namespace recloom {

/// Bytes of a file, decompressed on the way. Memory use does not depend on the size of the file.
class RECLOOM_API ByteStream {
 public:
  virtual ~ByteStream();
  /// Fill `into` as far as there are bytes: fewer than its size only at the end of the file.
  /// @throws DataError damaged or truncated archive, too many bytes, a file that changed while it
  /// was read; IoError the file cannot be read; Interrupted; std::bad_alloc.
  virtual std::size_t read(std::span<char> into) = 0;
};

/// Open a plain, gzip or zstd file, or a pipe of such bytes. What it is follows from its first
/// bytes; a file that is called .gz or .zst but is no such archive is an error.
/// @param run must outlive the stream. Its stop request ends all waiting and reading.
/// @param max_bytes how many bytes there may be, once unpacked; 0: 64 GiB, and of an archive no
/// more than 1 GiB or 100 times its own size, so that a small file cannot fill the memory.
/// @throws IoError no such file, a folder, no permission; DataError no archive; Interrupted.
RECLOOM_API std::unique_ptr<ByteStream> open_stream(const std::string& file, const RunContext& run,
                                                    std::int64_t max_bytes = 0);

}  // namespace recloom
