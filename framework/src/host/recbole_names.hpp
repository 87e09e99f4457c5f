#pragma once
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "recloom/core/export.hpp"

namespace recloom {

/// RecBole's parameters and where the same is set here: a key, or a sentence.
RECLOOM_API std::span<const std::pair<std::string_view, std::string_view>> recbole_names();

/// Return "; RecBole's MAX_ITEM_LIST_LENGTH is data.max_length here" for an unknown key that is one
/// of RecBole's, with or without a table in front of it; "" for others.
RECLOOM_API std::string recbole_hint(std::string_view key);

}  // namespace recloom
