#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace recloom {

/// Finds where rows end in a text whose quoted cells may go on over several lines. A quote opens a
/// cell only where one begins, as RowParser and pandas have it; all others are text. Looks at each
/// byte once, though the text grows between calls.
class QuotedRows {
 public:
  explicit QuotedRows(std::string separator) : separator_(std::move(separator)) {}

  /// From now on look at another text, which begins with a row.
  void restart() noexcept { at_ = row_end_ = searched_ = 0, open_ = false; }
  /// Return where the last row ends whose end is known, behind its line end; 0: there is none.
  /// @param text begins with what the call before it was given.
  std::size_t last_row_end(std::string_view text);
  /// Whether the text ended within quotes.
  bool is_open() const noexcept { return open_; }

 private:
  bool begins_cell(std::string_view text, std::size_t at) const noexcept;
  void look_for_line_end(std::string_view text, std::size_t end) noexcept;

  std::string separator_;
  std::size_t at_ = 0;        // All quotes before it are known.
  std::size_t row_end_ = 0;   // Behind the last line end that ends a row.
  std::size_t searched_ = 0;  // All line ends before it are known.
  bool open_ = false;
};

}  // namespace recloom
