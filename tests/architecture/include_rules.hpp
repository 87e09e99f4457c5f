#pragma once
#include <map>
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

/// Texts of source files, by path.
using SourceFiles = std::map<std::string, std::string>;

/// Find units of framework/ that include each other. A .cpp and the headers of its name are one
/// unit of their module: recloom/nn/x.hpp and framework/src/nn/graph/x.cpp are nn/x.
/// @param files all of framework/. @return a line for the shortest cycle through each unit that is
/// on one: "data/a -> data/b -> data/a (framework/src/data/a.cpp:3: data/b.hpp, ...)".
std::vector<std::string> unit_cycles(const SourceFiles& files);

/// Check which folder of nn stands on which. A public header lies in the folder of its unit's .cpp.
/// @param files all of framework/. @return as include_breaches().
std::vector<std::string> nn_folder_breaches(const SourceFiles& files);
/// Return the files of nn that are in no folder that nn has, "path: reason".
std::vector<std::string> nn_files_outside_folders(const SourceFiles& files);

/// Model names that a file of framework/ uses outside comments, "path:line: reason".
std::vector<std::string> model_name_breaches(std::string_view path, std::string_view text,
                                             const std::vector<std::string>& models);

}  // namespace recloom::testing
