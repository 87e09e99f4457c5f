#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "recloom/core/export.hpp"

namespace recloom {

/// How the text of a cell is understood: pandas' rules (what RecBole reads), or verbatim.
enum class CellRules { pandas, raw };

/// Is this one of the words that pandas takes for a missing value? The empty cell is one.
RECLOOM_API bool is_missing_word(std::string_view cell) noexcept;

/// Walks over the cells of one line.
class RECLOOM_API CellCursor {
 public:
  /// @param line without its end. @param scratch where a quoted cell is unquoted; its content
  /// lives until the next quoted cell.
  CellCursor(std::string_view line, char separator, CellRules rules, std::string& scratch) noexcept
      : at_(line.data()),
        end_(line.data() + line.size()),
        separator_(separator),
        quotes_(rules == CellRules::pandas),
        scratch_(&scratch) {}

  /// Move to the next cell. @return false after the last one, or at an unclosed quote.
  bool next(std::string_view& cell) {
    if (done_) return false;
    if (quotes_ && at_ != end_ && *at_ == '"') return next_quoted(cell);
    const char* begin = at_;
    while (at_ != end_ && *at_ != separator_) ++at_;
    cell = {begin, static_cast<std::size_t>(at_ - begin)};
    step_over_separator();
    return true;
  }
  bool unclosed_quote() const noexcept { return unclosed_; }

 private:
  bool next_quoted(std::string_view& cell);
  void step_over_separator() noexcept {
    if (at_ == end_) {
      done_ = true;
    } else {
      ++at_;
    }
  }

  const char* at_;
  const char* end_;
  char separator_;
  bool quotes_;
  bool done_ = false;
  bool unclosed_ = false;
  std::string* scratch_;
};

/// Parse all of a cell, blanks around it allowed.
RECLOOM_API bool parse_real(std::string_view cell, double& value) noexcept;
/// @return false if the cell is no integer, or none that 64 bits (or the code for "missing") leave
/// room for.
RECLOOM_API bool parse_integer(std::string_view cell, std::int64_t& value) noexcept;
RECLOOM_API bool is_utf8(std::string_view text) noexcept;

}  // namespace recloom
