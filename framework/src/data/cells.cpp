#include "data/cells.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <system_error>

#include "data/time_key.hpp"

namespace recloom {
namespace {

std::string_view without_blanks(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// from_chars knows no plus sign.
std::string_view without_plus(std::string_view text) noexcept {
  const bool plus = text.size() > 1 && text[0] == '+' && text[1] != '-';
  return plus ? text.substr(1) : text;
}

template <class T>
bool parse_all(std::string_view text, T& value) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

bool is_missing_word(std::string_view cell) noexcept {
  // Source: pandas 2, pandas._libs.parsers.STR_NA_VALUES.
  constexpr std::array<std::string_view, 18> kWords = {
      "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
      "<NA>", "N/A",      "NA",  "NULL",    "NaN",      "None", "n/a",  "nan",    "null"};
  if (cell.empty()) return true;
  return may_be_missing(cell) && std::find(kWords.begin(), kWords.end(), cell) != kWords.end();
}

bool CellCursor::next_quoted(std::string_view& cell) {
  scratch_->clear();
  const char* const begin = at_++;
  for (;; ++at_) {
    const auto* quote =
        static_cast<const char*>(std::memchr(at_, '"', static_cast<std::size_t>(text_end_ - at_)));
    if (quote == nullptr) {
      unclosed_ = done_ = true;
      return false;
    }
    scratch_->append(at_, quote);
    at_ = quote + 1;
    if (at_ == text_end_ || *at_ != '"') break;
    scratch_->push_back('"');
  }
  if (at_ > end_ && !go_on_behind_line(begin)) {
    unclosed_ = done_ = true;
    return false;
  }
  // Text behind the closing quote belongs to the cell, as it does for pandas.
  while (at_ != end_ && !at_separator()) scratch_->push_back(*at_++);
  cell = *scratch_;
  step_over_separator();
  return true;
}

/// Go over to the line on which a quoted cell was closed. @return false if text stands behind the
/// closing quote: then the quote at `begin` was never closed, and this one is another cell's.
bool CellCursor::go_on_behind_line(const char* begin) {
  more_lines_ += std::count(begin, at_, '\n');
  const auto rest = static_cast<std::size_t>(text_end_ - at_);
  const auto* line_end = static_cast<const char*>(std::memchr(at_, '\n', rest));
  end_ = line_end == nullptr ? text_end_ : line_end;
  if (end_ != at_ && end_[-1] == '\r') --end_;
  return at_ == end_ || at_separator();
}

bool parse_real(std::string_view cell, double& value) noexcept {
  return parse_all(without_plus(without_blanks(cell)), value);
}

bool parse_integer(std::string_view cell, std::int64_t& value) noexcept {
  return parse_all(without_plus(without_blanks(cell)), value) && value != kMissingTime;
}

bool is_integer(std::string_view cell) noexcept {
  std::string_view digits = without_plus(without_blanks(cell));
  if (digits.starts_with('-')) digits.remove_prefix(1);
  return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace recloom
