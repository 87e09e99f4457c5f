#pragma once
#include <string>
#include <string_view>

#include "recloom/config/params.hpp"
#include "recloom/core/export.hpp"

namespace recloom {

/// Read a TOML file; names of nested tables become dotted. In texts, \xE9 stands for the byte E9:
/// names of files need not be UTF-8, as TOML must be (core/utf8.hpp).
/// @throws ConfigError with file:line for bad syntax, for what is nested too deep (toml_scan.hpp)
/// and for values that no parameter can have (dates, lists of lists, lists of mixed types).
/// @throws IoError if it cannot be opened or has more than 1 MiB.
RECLOOM_API Params parse_toml_file(const std::string& file);
/// The same from memory. @param name stands for the file in messages.
RECLOOM_API Params parse_toml(std::string_view text, const std::string& name);
/// Return the parameters as a TOML document with nested tables, in alphabetical order.
RECLOOM_API std::string to_toml(const Params& params);
/// Return the value in `--set key=value`: TOML's value syntax, else the bare text itself, byte for
/// byte. @throws ConfigError for lists nested too deep.
RECLOOM_API Value parse_value(std::string_view text);

}  // namespace recloom
