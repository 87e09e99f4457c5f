#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "nn/causality.hpp"
#include "nn/graph_impl.hpp"
#include "nn/plan.hpp"
#include "recloom/core/export.hpp"
#include "recloom/nn/network_recommender.hpp"

namespace recloom::nn {

/// A network's loss, or its query where nothing is trained, recorded and planned.
struct RECLOOM_API Recording {
  /// @throws ModelError naming the op; also if rows are to share their past and cannot.
  Recording(const NetworkRecommender& model, const GraphSettings& settings,
            bool share_past = false);

  Graph graph;
  Loss loss;            ///< If settings.training.
  Var query;            ///< Else.
  Causality causality;  ///< Of the nodes as the model wrote them, before compute_at_last().
  std::unique_ptr<Plan> plan;

 private:
  std::vector<std::int32_t> outputs() const;
  void move(const std::vector<std::int32_t>& places);
};

}  // namespace recloom::nn
