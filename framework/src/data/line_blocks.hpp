#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "data/growing_array.hpp"
#include "data/quoted_rows.hpp"
#include "data/stream.hpp"
#include "recloom/core/export.hpp"

namespace recloom {

/// Cuts a file into blocks of whole lines, or whole rows, so that blocks can be parsed side by
/// side. Memory: the longest row, or two blocks.
class RECLOOM_API LineBlocks {
 public:
  static constexpr std::size_t kBlockBytes = std::size_t{1} << 17;
  /// More than a line of text has; a line is held in memory as a whole.
  static constexpr std::size_t kLongestLine = std::size_t{1} << 26;

  /// @param max_bytes, run see open_stream(). @param encoding see open_text().
  /// @throws IoError, DataError, Interrupted: see open_stream().
  LineBlocks(const std::string& file, const RunContext& run, std::int64_t max_bytes = 0,
             std::size_t block_bytes = kBlockBytes, const std::string& encoding = "utf-8");
  /// Return the first bytes of the file, all of them if it is shorter than a block. To be called
  /// before next().
  std::string_view head();
  /// From now on hand out a line that is longer than a block in pieces, each but the first behind a
  /// copy of the line's first word: "user item item item" as "user item" and "user item item". To
  /// be called before next().
  void cut_long_lines() noexcept { cuts_ = true; }
  /// From now on cut only where no quoted cell is open. Within quotes that are not closed after
  /// kLongestLine it cuts all the same: whoever reads the rows finds them open. To be called before
  /// next().
  void keep_quoted_rows(std::string separator) { quoted_.emplace(std::move(separator)); }
  /// Replace the content of `block` by the next lines. @return false if there are none.
  /// @throws DataError a line longer than kLongestLine; see also ByteStream::read().
  bool next(GrowingArray<char>& block);
  /// Whether the last block goes on with the line that the one before it ended with.
  bool continues_line() const noexcept { return continues_line_; }
  std::int64_t bytes_read() const noexcept { return n_bytes_; }  ///< Of text, so far.

 private:
  void read_more(GrowingArray<char>& block);
  bool cut_behind_row(GrowingArray<char>& block, std::size_t searched);
  bool cut_within_line(GrowingArray<char>& block, std::size_t searched);
  void keep_rest(GrowingArray<char>& block, std::string_view before, std::size_t from,
                 std::size_t end);

  std::string file_;
  std::size_t block_bytes_;
  std::unique_ptr<ByteStream> stream_;
  GrowingArray<char> rest_;   // Begin of a line whose end is still to be read.
  std::int64_t n_bytes_ = 0;  // Read so far.
  std::optional<QuotedRows> quoted_;
  bool at_end_ = false, cuts_ = false;
  bool continues_line_ = false, rest_continues_ = false;
};

}  // namespace recloom
