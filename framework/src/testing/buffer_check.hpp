#pragma once
#include "testing/check.hpp"

namespace recloom::conformance {

/// Whether the plugin looks at the buffers that it reads from a model file before it relies on
/// them.
Finding check_buffers(Subject& subject);

}  // namespace recloom::conformance
