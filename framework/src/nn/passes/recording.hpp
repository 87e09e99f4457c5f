#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "nn/graph/graph.hpp"
#include "nn/passes/causality.hpp"
#include "nn/passes/plan.hpp"
#include "recloom/core/export.hpp"
#include "recloom/nn/inputs.hpp"

namespace recloom::nn {

/// A network's loss, or its query where nothing is trained: recorded once, for histories of L, and
/// planned.
struct RECLOOM_API Recording {
  using Forward = std::function<Var(const Inputs&)>;
  using CalculateLoss = std::function<Loss(const Inputs&)>;

  /// @throws ModelError naming the op.
  Recording(const Catalogue& catalogue, const Forward& forward,
            Convolution convolution = Convolution::automatic);
  /// @param settings for training. @throws ModelError naming the op; also if rows are to share
  /// their past and cannot.
  Recording(const GraphSettings& settings, const CalculateLoss& calculate_loss,
            bool share_past = false);

  Graph graph;
  Loss loss;            ///< Of a training.
  Var query;            ///< Else.
  Causality causality;  ///< Of the nodes as the model wrote them, before compute_at_last().
  std::vector<NodeId> outputs;
  std::unique_ptr<Plan> plan;

 private:
  void finish(bool share_past);
  std::vector<NodeId> wanted() const;
  void move(const ByNode<NodeId>& places);
};

}  // namespace recloom::nn
