#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "data/first_lines.hpp"

namespace recloom {

/// What the words of a column have in common, to be compared with another column's: in lines of
/// "user item item ..." every column but the first holds items, so all of them look alike.
class ColumnForm {
 public:
  /// @param words not empty.
  explicit ColumnForm(const Words& words);
  /// Whether two columns hardly hold things of one kind: words in one and numbers in the other,
  /// "i17" and "c4", numbers of other sizes. By chance items look so once in some hundred logs of a
  /// few lines, and never in long ones.
  /// @param sizes also compare how large numbers are.
  bool differs_from(const ColumnForm& other, bool sizes) const;

 private:
  bool are_apart(const ColumnForm& other) const;
  bool are_distributed_alike(const ColumnForm& other) const;

  bool numbers_ = false, words_ = false;  // Nearly all are.
  std::string shape_, prefix_;            // That nearly all have, or "".
  bool ascends_ = false;                  // From row to row of many.
  bool grows_ = false;                    // Larger in most later rows than in earlier ones.
  std::vector<double> values_;            // Sorted; empty: not all are numbers.
};

/// Return the first two columns behind `from` that differ, as "'i17' and '5'"; "" if all are alike.
/// Of very many columns, the first ones are compared.
std::string contrast_of(const std::vector<Words>& columns, std::size_t from, bool sizes);

}  // namespace recloom
