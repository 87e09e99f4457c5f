#include "eval/nan_score.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "recloom/core/error.hpp"

namespace recloom {

void throw_not_a_number(const Row& row, std::span<const float> scores, ItemId first,
                        std::span<const ItemId> items) {
  const auto place = static_cast<std::size_t>(
      std::ranges::find_if(scores, [](float score) { return std::isnan(score); }) - scores.begin());
  const ItemId item = items.empty() ? first + static_cast<ItemId>(place) : items[place];
  throw NumericError(fmt::format("the model's score of item {} in row {} (user {}) is not a number",
                                 item, row.id, row.user));
}

}  // namespace recloom
