#pragma once
#include "recloom/core/types.hpp"

namespace recloom {

/// An item and what a model thinks of it.
struct Recommendation {
  ItemId item = 0;
  float score = 0;
};

}  // namespace recloom
