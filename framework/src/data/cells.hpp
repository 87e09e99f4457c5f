#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "data/plain_cells.hpp"
#include "recloom/core/export.hpp"

namespace recloom {

/// How the text of a cell is understood: pandas' rules (what RecBole reads), or verbatim.
enum class CellRules { pandas, raw };

/// Is this one of the words that pandas takes for a missing value? The empty cell is one.
RECLOOM_API bool is_missing_word(std::string_view cell) noexcept;

/// Quickly tell most cells from missing ones: false only for cells that are none.
inline bool may_be_missing(std::string_view cell) noexcept {
  if (cell.empty()) return true;
  if (cell.size() == 1 || cell.size() > 8) return false;
  const char first = cell[0];
  if (first == '1') return cell[1] == '.';
  return first == 'n' || first == 'N' || first == '-' || first == '#' || first == '<';
}

/// Walks over the cells of one row: a line, and the lines that a quoted cell goes on over.
class RECLOOM_API CellCursor {
 public:
  /// @param line without its end. @param separator not empty, may be kBlankRuns; must outlive the
  /// cursor.
  /// @param scratch where a quoted cell is unquoted; its content lives until the next quoted cell.
  /// @param rest how many bytes of text stand behind the line, for quoted cells that go on there.
  CellCursor(std::string_view line, std::string_view separator, CellRules rules,
             std::string& scratch, std::size_t rest = 0) noexcept
      : at_(line.data()),
        end_(line.data() + line.size()),
        text_end_(end_ + rest),
        separator_(separator),
        quotes_(rules == CellRules::pandas),
        runs_(separator == kBlankRuns),
        scratch_(&scratch) {
    if (runs_) skip_blanks();
  }

  /// Move to the next cell. @return false after the last one, or at an unclosed quote.
  bool next(std::string_view& cell) {
    if (done_) return false;
    if (quotes_ && at_ != end_ && *at_ == '"') return next_quoted(cell);
    const char* begin = at_;
    while (at_ != end_ && !at_separator()) ++at_;
    cell = {begin, static_cast<std::size_t>(at_ - begin)};
    step_over_separator();
    return true;
  }
  bool unclosed_quote() const noexcept { return unclosed_; }
  /// How many lines cells went on over so far, beside the row's first one.
  std::int64_t more_lines() const noexcept { return more_lines_; }
  /// Where the row ends, as far as it is known: at the end of its last line.
  const char* end() const noexcept { return end_; }

 private:
  bool next_quoted(std::string_view& cell);
  bool go_on_behind_line(const char* begin);
  bool at_separator() const noexcept {
    if (runs_) return *at_ == ' ' || *at_ == '\t';
    return *at_ == separator_[0] &&
           (separator_.size() == 1 ||
            std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(separator_));
  }
  void step_over_separator() noexcept {
    if (at_ != end_ && runs_) {
      skip_blanks();
      done_ = at_ == end_;
    } else if (at_ == end_) {
      done_ = true;
    } else {
      at_ += separator_.size();
    }
  }
  void skip_blanks() noexcept {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t')) ++at_;
  }

  const char* at_;
  const char* end_;
  const char* text_end_;
  std::string_view separator_;
  std::int64_t more_lines_ = 0;
  bool quotes_;
  bool runs_;  // Of blanks part cells.
  bool done_ = false;
  bool unclosed_ = false;
  std::string* scratch_;
};

/// Parse all of a cell, blanks around it allowed.
RECLOOM_API bool parse_real(std::string_view cell, double& value) noexcept;
/// @return false if the cell is no integer, or none that 64 bits (or the code for "missing") leave
/// room for.
RECLOOM_API bool parse_integer(std::string_view cell, std::int64_t& value) noexcept;
/// Is this written as an integer, of any size?
RECLOOM_API bool is_integer(std::string_view cell) noexcept;
/// Parse a cell of 1 to 18 digits and nothing else. @return false for every other cell.
inline bool parse_digits(std::string_view cell, std::int64_t& value) noexcept {
  if (cell.empty() || cell.size() > 18) return false;
  const char* at = cell.data();
  const char* const end = at + cell.size();
  std::uint64_t number = 0;
  for (; end - at >= 8; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
    const std::uint64_t digits = word - '0' * kOnes;
    if (((digits | (word + (127 - '9') * kOnes)) & (128 * kOnes)) != 0) return false;
    // Pairs, fours, eight: each step joins neighbours.
    std::uint64_t joined = digits * 10 + (digits >> 8);
    joined = (((joined & 0x000000FF000000FFULL) * (100 + (1000000ULL << 32))) +
              (((joined >> 16) & 0x000000FF000000FFULL) * (1 + (10000ULL << 32)))) >>
             32;
    number = number * 100000000 + static_cast<std::uint32_t>(joined);
  }
  for (; at != end; ++at) {
    const auto digit = static_cast<std::uint8_t>(*at - '0');
    if (digit > 9) return false;
    number = number * 10 + digit;
  }
  value = static_cast<std::int64_t>(number);
  return true;
}

}  // namespace recloom
