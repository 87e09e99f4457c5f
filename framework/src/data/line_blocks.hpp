#pragma once
#include <cstddef>
#include <memory>
#include <string>

#include "data/growing_array.hpp"
#include "data/stream.hpp"
#include "recloom/core/export.hpp"

namespace recloom {

/// Cuts a file into blocks of whole lines, so that blocks can be parsed side by side.
class RECLOOM_API LineBlocks {
 public:
  static constexpr std::size_t kBlockBytes = std::size_t{1} << 17;
  static constexpr std::size_t kLongestLine = std::size_t{1} << 28;

  /// @throws IoError, DataError: see open_stream().
  explicit LineBlocks(const std::string& file, std::size_t block_bytes = kBlockBytes);
  /// Replace the content of `block` by the next lines. @return false if there are none.
  /// @throws DataError a line longer than kLongestLine; a damaged archive.
  bool next(GrowingArray<char>& block);

 private:
  std::string file_;
  std::size_t block_bytes_;
  std::unique_ptr<ByteStream> stream_;
  GrowingArray<char> rest_;  // Begin of a line whose end is still to be read.
  bool at_end_ = false;
};

}  // namespace recloom
