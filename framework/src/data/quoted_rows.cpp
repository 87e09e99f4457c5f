#include "data/quoted_rows.hpp"

#include "data/plain_cells.hpp"

namespace recloom {

std::size_t QuotedRows::last_row_end(std::string_view text) {
  while (at_ < text.size()) {
    const std::size_t quote = text.find('"', at_);
    if (quote == std::string_view::npos) {
      at_ = text.size();
    } else if (!open_) {
      open_ = begins_cell(text, quote);
      if (open_) look_for_line_end(text, quote);
      at_ = quote + 1;
    } else if (quote + 1 == text.size()) {
      at_ = quote;  // The next byte tells what it is.
      break;
    } else if (text[quote + 1] == '"') {
      at_ = quote + 2;
    } else {
      open_ = false;
      at_ = searched_ = quote + 1;
    }
  }
  if (!open_) look_for_line_end(text, text.size());
  return row_end_;
}

bool QuotedRows::begins_cell(std::string_view text, std::size_t at) const noexcept {
  const std::string_view before = text.substr(0, at);
  const bool separated = separator_ == kBlankRuns ? before.ends_with(' ') || before.ends_with('\t')
                                                  : before.ends_with(separator_);
  return before.empty() || before.ends_with('\n') || separated || before == kByteOrderMark;
}

void QuotedRows::look_for_line_end(std::string_view text, std::size_t end) noexcept {
  const std::size_t found = text.substr(searched_, end - searched_).rfind('\n');
  if (found != std::string_view::npos) row_end_ = searched_ + found + 1;
  searched_ = end;
}

}  // namespace recloom
