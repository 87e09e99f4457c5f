#include "data/line_blocks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/text.hpp"
#include "data/encoding.hpp"
#include "data/raw_file.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr std::string_view kBlanks = " \t";
/// Each piece of a line has a copy of its first word, which must not become the bulk of the work.
constexpr std::size_t kLongestCopy = 4096;

std::string_view text_of(const GrowingArray<char>& block) { return {block.data(), block.size()}; }

}  // namespace

LineBlocks::LineBlocks(const std::string& file, const RunContext& run, std::int64_t max_bytes,
                       std::size_t block_bytes, const std::string& encoding)
    : file_(shown_name(file)),
      block_bytes_(block_bytes),
      stream_(open_text(file, encoding, run, max_bytes)) {}

std::string_view LineBlocks::head() {
  read_more(rest_);
  return text_of(rest_);
}

bool LineBlocks::next(GrowingArray<char>& block) {
  // What an unusually long line took is not kept for the blocks after it.
  if (block.size() > 4 * block_bytes_) block.release();
  block.clear();
  std::swap(block, rest_);
  continues_line_ = std::exchange(rest_continues_, false);
  if (quoted_) quoted_->restart();
  std::size_t searched = 0;
  while (!cut_behind_row(block, searched) && !at_end_) {
    if (cuts_ && cut_within_line(block, searched)) break;
    searched = block.size();
    if (searched > kLongestLine && quoted_ && quoted_->is_open()) break;
    if (searched > kLongestLine) {
      throw DataError(
          fmt::format("{}: the line that begins at byte {} is longer than {} MiB; this is no text "
                      "file",
                      file_, n_bytes_ - static_cast<std::int64_t>(searched), kLongestLine >> 20));
    }
    read_more(block);
  }
  return !block.empty();
}

void LineBlocks::read_more(GrowingArray<char>& block) {
  const std::size_t before = block.size();
  char* added = block.extend(block_bytes_);
  const std::size_t count = stream_->read({added, block_bytes_});
  block.shrink(before + count);
  n_bytes_ += static_cast<std::int64_t>(count);
  at_end_ = count < block_bytes_;
}

/// Move what stands behind the last row. @param searched where the search may begin.
bool LineBlocks::cut_behind_row(GrowingArray<char>& block, std::size_t searched) {
  if (at_end_ || searched == block.size()) return false;
  std::size_t row_end = 0;
  if (quoted_) {
    row_end = quoted_->last_row_end(text_of(block));
  } else if (const std::size_t line_end = text_of(block).substr(searched).rfind('\n');
             line_end != std::string_view::npos) {
    row_end = searched + line_end + 1;
  }
  if (row_end == 0) return false;
  keep_rest(block, {}, row_end, row_end);
  return true;
}

/// Cut a line in front of its last word, which may be incomplete, if an item is left on both sides.
bool LineBlocks::cut_within_line(GrowingArray<char>& block, std::size_t searched) {
  if (block.size() < block_bytes_) return false;
  const std::string_view text = text_of(block), added = text.substr(searched);
  const std::size_t last = added.find_last_not_of(" \t\r");
  if (last == std::string_view::npos) return false;
  std::size_t gap = added.find_last_of(kBlanks, last);
  if (gap == std::string_view::npos) return false;
  gap += searched;
  const std::size_t user = text.find_first_not_of(kBlanks);
  const std::size_t user_end = text.find_first_of(kBlanks, user);
  const std::size_t end = text.find_last_not_of(kBlanks, gap) + 1;
  if (end <= user_end || user_end - user > kLongestCopy) return false;
  keep_rest(block, text.substr(user, user_end - user), gap, end);
  rest_continues_ = true;
  return true;
}

void LineBlocks::keep_rest(GrowingArray<char>& block, std::string_view before, std::size_t from,
                           std::size_t end) {
  const std::string_view behind = text_of(block).substr(from);
  rest_.clear();
  char* rest = rest_.extend(before.size() + behind.size());
  std::copy(behind.begin(), behind.end(), std::copy(before.begin(), before.end(), rest));
  block.shrink(end);
}

}  // namespace recloom
