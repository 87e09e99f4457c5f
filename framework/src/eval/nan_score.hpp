#pragma once
#include <span>

#include "recloom/core/export.hpp"
#include "recloom/core/types.hpp"
#include "recloom/data/batch.hpp"

namespace recloom {

/// @throws NumericError for the first NaN of these scores. @param items their ids; empty: first,
/// first + 1, ...
[[noreturn]] RECLOOM_API void throw_not_a_number(const Row& row, std::span<const float> scores,
                                                 ItemId first, std::span<const ItemId> items = {});

}  // namespace recloom
