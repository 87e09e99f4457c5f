#pragma once
#include <string>
#include <string_view>

#include "recloom/recloom.hpp"

namespace recloom::cli {

/// How lists of recommendations are written.
enum class ListFormat { people, tsv, csv, json };

/// Return the format that a file's ending asks for; of a device or pipe, which has none, `other`.
/// @throws ConfigError an ending that is none: names the legal ones.
ListFormat list_format_of(const std::string& file, ListFormat other);
/// Whether a name stands for a pipe or device, which is written to as it goes.
bool is_device(const std::string& file);
/// Return the line above all lists, "" if there is none.
std::string_view list_heading(ListFormat format);
/// Return a list as lines.
std::string list_text(const RecommendedList& list, ListFormat format, const Vocabulary& vocabulary);
/// Return the answer to what cannot be answered: {"user": ..., "error": ...}, one line.
std::string error_line(const std::string& user, const std::string& error);

}  // namespace recloom::cli
