#pragma once
#include <string>

#include "recloom/core/export.hpp"

namespace recloom {

/// Return the folder that librecloom.so was loaded from.
RECLOOM_API std::string library_folder();

}  // namespace recloom
