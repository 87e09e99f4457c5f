#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "recloom/core/export.hpp"

namespace recloom {

struct TomlProblem {
  int line = 1;
  std::string what;
  bool nested = false;  ///< Nested too deep; else text that TOML does not allow.
};

/// Look through a TOML document for what its parser, which calls itself for every level and trusts
/// text to be UTF-8, does not survive: brackets nested deeper than 32, keys of more than 16 parts,
/// bytes that are no UTF-8; and for control characters. The syntax is left to the parser.
RECLOOM_API std::optional<TomlProblem> find_toml_problem(std::string_view text);

}  // namespace recloom
