#pragma once
#include "recloom/nn/network_recommender.hpp"
#include "recloom/recloom.hpp"

namespace recloom {

/// @throws ModelError a model that is no network.
const NetworkRecommender& network_of(const Recommender& recommender);

}  // namespace recloom
