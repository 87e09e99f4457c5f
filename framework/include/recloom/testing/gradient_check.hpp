#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "recloom/data/batch.hpp"
#include "recloom/nn/network_recommender.hpp"

namespace recloom::testing {

struct GradientOptions {
  std::string loss = "CE";  ///< As train.loss.
  int n_negatives = 1;      ///< Of a row; drawn uniformly. All losses but CE.
  double gbce_t = 0.75;     ///< gBCE
  int entries = 4;          ///< Single numbers of each parameter that are looked at.
  std::uint64_t seed = 1;   ///< Of dropout, negatives and directions.
};

struct GradientReport {
  /// The first derivative that is wrong: parameter, direction, what the backward pass gives and what
  /// differences of the loss give. "" if none is.
  std::string problem;
  /// Why gradients differ from differences on purpose, so that nothing was compared; else "".
  std::string not_applicable;
  std::vector<std::string> unjudged;  ///< Parameters without a smooth direction (ReLU, max).
  int parameters = 0, compared = 0;   ///< Parameters, and derivatives of them, that were compared.
};

/// Compare every trained parameter's gradient, as a training step computes it, with central
/// differences of the loss (penalties included): for single numbers, along the gradient itself, and
/// along a random direction that moves all numbers. Dropout takes part, since its mask is a function
/// of the row. Row 0 of a table whose padding row is frozen is left alone.
///
///   GradientReport report = check_gradients(network, rows);
///   if (!report.problem.empty()) ...
///
/// @param model ready, without start values; its parameters have others afterwards.
/// @param rows with one target each; 10 to 30 are enough.
/// @throws ModelError the loss cannot be recorded; NumericError it is not finite.
GradientReport check_gradients(NetworkRecommender& model, const Batch& rows,
                               const GradientOptions& options = {});

}  // namespace recloom::testing
