#include "data/plain_cells.hpp"

#include <cstddef>

namespace recloom {

std::vector<std::string_view> plain_cells(std::string_view line, std::string_view separator) {
  std::vector<std::string_view> cells;
  constexpr std::string_view kBlanks = " \t";
  if (separator == kBlankRuns) {
    for (std::size_t at = 0;
         (at = line.find_first_not_of(kBlanks, at)) != std::string_view::npos;) {
      const std::size_t end = line.find_first_of(kBlanks, at);
      cells.push_back(line.substr(at, end - at));
      at = end == std::string_view::npos ? line.size() : end;
    }
    return cells;
  }
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = line.find(separator);
    cells.push_back(line.substr(0, end));
    if (end != std::string_view::npos) line.remove_prefix(end + separator.size());
  }
  return cells;
}

}  // namespace recloom
