#include "data/plain_cells.hpp"

#include <cstddef>

namespace recloom {

std::vector<std::string_view> plain_cells(std::string_view line, std::string_view separator) {
  std::vector<std::string_view> cells;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = line.find(separator);
    cells.push_back(line.substr(0, end));
    if (end != std::string_view::npos) line.remove_prefix(end + separator.size());
  }
  return cells;
}

}  // namespace recloom
