#include "docs/markdown.hpp"

#include <sstream>

namespace recloom::testing {

std::string fenced_blocks(const std::string& markdown, const std::string& language) {
  std::istringstream lines(markdown);
  std::string found;
  bool inside = false, wanted = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      inside = !inside;
      wanted = inside && line == "```" + language;
    } else if (wanted) {
      found += line + "\n";
    }
  }
  return found;
}

}  // namespace recloom::testing
