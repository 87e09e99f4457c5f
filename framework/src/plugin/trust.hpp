#pragma once
#include <string>

#include "recloom/core/export.hpp"

namespace recloom {

/// Return why somebody else may decide what a plugin's code is, with the remedy; "" if nobody can,
/// or RECLOOM_TRUST_PLUGINS says that it does not matter. Looked at is where links lead to.
///
/// The file and its folder must belong to this user, to root or to the owner of librecloom.so, and
/// nobody else may write them: not the world, and no group but the owner's own (of the same
/// number). Folders above may not be writable by the world, unless sticky as /tmp is.
RECLOOM_API std::string trust_problem(const std::string& file);

}  // namespace recloom
