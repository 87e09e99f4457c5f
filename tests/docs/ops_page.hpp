#pragma once
#include <string>

namespace recloom::testing {

/// docs/ops.md, made by recording each op and asking it.
std::string ops_page();

}  // namespace recloom::testing
