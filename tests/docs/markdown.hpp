#pragma once
#include <string>

namespace recloom::testing {

/// What stands in the fenced blocks of a language, one after the other.
std::string fenced_blocks(const std::string& markdown, const std::string& language);

}  // namespace recloom::testing
