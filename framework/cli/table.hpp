#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace recloom::cli {

/// Plain text in aligned columns: the first column and those of text to the left, numbers to the
/// right. Cells are shown by display_text().
class Table {
 public:
  explicit Table(const std::vector<std::string>& heading);
  void add(const std::vector<std::string>& cells);
  /// @param indent spaces in front of every line.
  std::string text(std::size_t indent = 0) const;

 private:
  std::vector<std::vector<std::string>> lines_;
};

/// Return 1234567 as "1,234,567".
std::string grouped(std::int64_t number);
/// Return a metric with four decimals, "-" if it is no number.
std::string metric_text(double value);

}  // namespace recloom::cli
