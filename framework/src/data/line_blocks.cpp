#include "data/line_blocks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "recloom/core/error.hpp"

namespace recloom {

LineBlocks::LineBlocks(const std::string& file, std::size_t block_bytes)
    : file_(file), block_bytes_(block_bytes), stream_(open_stream(file)) {}

bool LineBlocks::next(GrowingArray<char>& block) {
  block.clear();
  std::swap(block, rest_);
  std::size_t searched = 0;
  while (!at_end_) {
    const std::size_t before = block.size();
    char* added = block.extend(block_bytes_);
    const std::size_t count = stream_->read({added, block_bytes_});
    block.shrink(before + count);
    at_end_ = count < block_bytes_;
    if (at_end_) break;
    const std::string_view bytes(block.data(), block.size());
    const std::size_t last_end = bytes.substr(searched).rfind('\n');
    if (last_end != std::string_view::npos) {
      const std::size_t whole = searched + last_end + 1;
      char* rest = rest_.extend(bytes.size() - whole);
      std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(whole), bytes.end(), rest);
      block.shrink(whole);
      break;
    }
    searched = block.size();
    if (searched > kLongestLine) {
      throw DataError(fmt::format("{}: a line is longer than {} MiB; this is no text file", file_,
                                  kLongestLine >> 20));
    }
  }
  return !block.empty();
}

}  // namespace recloom
