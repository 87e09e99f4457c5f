#include "data/column_contrast.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <functional>
#include <map>

#include "core/text.hpp"

namespace recloom {
namespace {

/// Nine of ten.
bool nearly_all(std::size_t n, std::size_t of) { return 10 * n >= 9 * of; }

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

/// Runs of letters become "a", those of digits "0": "B00-17" is "a0-0".
std::string shape_of(std::string_view word) {
  std::string shape;
  for (const char c : word) {
    const char sign = is_letter(c) ? 'a' : is_digit(c) ? '0' : c;
    if ((sign == 'a' || sign == '0') && shape.ends_with(sign)) continue;
    shape.push_back(sign);
  }
  return shape;
}

/// The letters before the first digit or mark; "" of a word of letters alone.
std::string prefix_of(std::string_view word) {
  const auto end = std::find_if_not(word.begin(), word.end(), is_letter);
  return end == word.end() ? "" : std::string(word.begin(), end);
}

/// Return what nearly all words have in common, "" if nothing.
template <class Of>
std::string common(const Words& words, Of of) {
  std::map<std::string, std::size_t> counts;
  for (const std::string_view word : words) ++counts[of(word)];
  for (const auto& [text, n] : counts)
    if (nearly_all(n, words.size())) return text;
  return "";
}

/// How many times larger all of n numbers must be than all of n others: each of these lies above
/// the others by chance, if they are uniform, less often than once in 300.
double factor_for(std::size_t n) {
  constexpr std::array<double, 6> kFactors = {INFINITY, INFINITY, 10, 4, 2, 1.5};
  return n < kFactors.size() ? kFactors[n] : 1;
}

}  // namespace

ColumnForm::ColumnForm(const Words& words) {
  std::size_t n_numbers = 0;
  for (const std::string_view word : words) {
    double value = 0;
    const CellKind kind = kind_of(word);
    if (kind == CellKind::word || kind == CellKind::empty || !parse_number(word, value)) continue;
    ++n_numbers;
    values_.push_back(value);
  }
  numbers_ = nearly_all(n_numbers, words.size());
  words_ = nearly_all(words.size() - n_numbers, words.size());
  if (n_numbers < words.size()) values_.clear();
  constexpr std::size_t kMany = 8;
  ascends_ = values_.size() >= kMany && std::adjacent_find(values_.begin(), values_.end(),
                                                           std::greater_equal<>()) == values_.end();
  const std::size_t half = values_.size() / 2;
  std::size_t n_larger = 0;
  for (std::size_t at = 0; at < half; ++at) n_larger += values_[half + at] > values_[at] ? 1 : 0;
  grows_ = 4 * n_larger > 3 * half;
  std::sort(values_.begin(), values_.end());
  constexpr std::size_t kEnough = 3;
  if (words.size() >= kEnough) shape_ = common(words, shape_of);
  prefix_ = common(words, prefix_of);
}

bool ColumnForm::differs_from(const ColumnForm& other, bool sizes) const {
  if ((numbers_ && other.words_) || (words_ && other.numbers_)) return true;
  if (!shape_.empty() && !other.shape_.empty() && shape_ != other.shape_) {
    // Whole and decimal numbers, of which some have no sign or fraction by chance, are compared by
    // their size.
    return !(numbers_ && other.numbers_) || shape_.size() != other.shape_.size();
  }
  if (!prefix_.empty() && !other.prefix_.empty() && prefix_ != other.prefix_) return true;
  if (!sizes || values_.empty() || other.values_.empty()) return false;
  // Items that are numbered as they appear grow in every column.
  const bool in_order = (ascends_ && !other.grows_) || (other.ascends_ && !grows_);
  return in_order || (are_apart(other) || other.are_apart(*this) || !are_distributed_alike(other));
}

bool ColumnForm::are_apart(const ColumnForm& other) const {
  const double factor = factor_for(std::min(values_.size(), other.values_.size()));
  return other.values_.front() > 0 && values_.front() >= 0 &&
         factor * values_.back() < other.values_.front();
}

/// Kolmogorov and Smirnov's test for two samples, at a level of 1e-5.
bool ColumnForm::are_distributed_alike(const ColumnForm& other) const {
  constexpr double kMost = 2.5;
  const auto n = static_cast<double>(values_.size()), m = static_cast<double>(other.values_.size());
  double largest = 0;
  for (const auto* column : {&values_, &other.values_}) {
    for (const double value : *column) {
      const auto below = [value](const std::vector<double>& values) {
        const auto end = std::upper_bound(values.begin(), values.end(), value);
        return static_cast<double>(end - values.begin()) / static_cast<double>(values.size());
      };
      largest = std::max(largest, std::abs(below(values_) - below(other.values_)));
    }
  }
  return largest * std::sqrt(n * m / (n + m)) < kMost;
}

std::string contrast_of(const std::vector<Words>& columns, std::size_t from, bool sizes) {
  constexpr std::size_t kMost = 40;  // Each is compared with each: lines may have 100,000 words.
  std::vector<ColumnForm> forms;
  for (std::size_t at = from; at < std::min(columns.size(), from + kMost); ++at)
    forms.emplace_back(columns[at]);
  for (std::size_t one = 0; one < forms.size(); ++one) {
    for (std::size_t other = one + 1; other < forms.size(); ++other) {
      if (!forms[one].differs_from(forms[other], sizes)) continue;
      return fmt::format("'{}' and '{}'", printable(columns[from + one][0]),
                         printable(columns[from + other][0]));
    }
  }
  return "";
}

}  // namespace recloom
