#include "data/cells.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
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
  ++at_;
  for (;;) {
    if (at_ == end_) {
      unclosed_ = done_ = true;
      return false;
    }
    if (*at_ != '"') {
      scratch_->push_back(*at_++);
    } else if (at_ + 1 != end_ && at_[1] == '"') {
      scratch_->push_back('"');
      at_ += 2;
    } else {
      ++at_;
      break;
    }
  }
  // Text behind the closing quote belongs to the cell, as it does for pandas.
  while (at_ != end_ && *at_ != separator_) scratch_->push_back(*at_++);
  cell = *scratch_;
  step_over_separator();
  return true;
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
