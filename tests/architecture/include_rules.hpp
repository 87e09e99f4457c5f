#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace recloom::testing {

/// An `#include` line of a source file.
struct Include {
  int line = 0;
  std::string header;   ///< As written between the delimiters.
  bool quoted = false;  ///< "header" rather than <header>.
};

std::vector<Include> includes_of(std::string_view text);

/// Check one file of framework/ or plugins/ against the rules of docs/architecture.md: which
/// third-party header may be included where, and which module may stand on which.
/// @param path relative to the repository, for example "framework/src/core/file.cpp".
/// @return one line per breach, "path:line: reason".
std::vector<std::string> include_breaches(std::string_view path, std::string_view text);

/// Model names that a file of framework/ uses outside comments, "path:line: reason".
std::vector<std::string> model_name_breaches(std::string_view path, std::string_view text,
                                             const std::vector<std::string>& models);

}  // namespace recloom::testing
