#pragma once
#include "testing/check.hpp"

namespace recloom::conformance {

/// Run each op of a network's scoring over positions with one of them changed.
Finding check_reach(Subject& subject);

}  // namespace recloom::conformance
