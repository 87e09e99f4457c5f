#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "recloom/serving.hpp"

namespace recloom {

/// Return how an input is to be read: told by its name and its first lines.
/// @param lines the first ones that are not blank; of a pipe there is one.
/// @param data how a log would be read.
/// @throws ConfigError both are possible: names the flag that decides.
InputFormat find_input_format(const std::string& name, const std::vector<std::string>& lines,
                              const DataOptions& data, const Vocabulary& vocabulary);

/// Return what a line of a list of histories asks for: user<TAB>items with blanks between them,
/// user<TAB>item<TAB>item ... with whatever in them, or items alone.
/// @throws DataError can be read both ways.
QueryHistory parse_history_line(const std::string& line, const std::string& place,
                                const Vocabulary& vocabulary);

/// The same of an object: {"user": ..., "items": [...], "candidates": [...]}; tokens are texts or
/// integers. @throws DataError no such object: says what is wrong with it.
QueryHistory parse_history_object(const std::string& line, const std::string& place);

}  // namespace recloom
