#pragma once
#include <string>
#include <string_view>

#include "recloom/config/params.hpp"
#include "recloom/core/export.hpp"

namespace recloom {

/// Return a setting as it is written behind a command in a shell: --set data.separator=:: or
/// --set 'data.columns=["user_id", "item_id"]'. For errors that say what to do.
RECLOOM_API std::string set_option(std::string_view key, const Value& value);

}  // namespace recloom
