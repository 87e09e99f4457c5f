#pragma once
// Gradients of a network against finite differences: for the test of an own op or loss.
#include <cstdint>
#include <string>

#include "recloom/data/batch.hpp"
#include "recloom/nn/loss_reduction.hpp"
#include "recloom/nn/network_recommender.hpp"

namespace recloom::testing {

struct GradientOptions {
  std::string loss = "CE";  ///< As train.loss.
  nn::LossReduction reduction = nn::LossReduction::mean;
  int n_targets = 1;       ///< T; rows may bring fewer.
  int n_negatives = 1;     ///< Of a row, where the loss takes some; drawn uniformly.
  double gbce_t = 0.75;    ///< gBCE
  std::uint64_t seed = 1;  ///< Of start values, dropout, negatives and directions.
};

struct GradientReport {
  /// The first derivative that is wrong: parameter, direction, what the backward pass gives and
  /// what differences of the loss give. "" if none is.
  std::string problem;
  /// Why gradients differ from differences on purpose, so that nothing was compared; else "".
  std::string not_applicable;
  int parameters = 0, compared = 0;  ///< Trained parameters, and derivatives that were compared.
};

/// Compare the gradient of every trained parameter, as a training step computes it, with
/// fourth-order central differences of the loss, penalties included: along random directions that
/// move some of its numbers, and for single numbers. What dropout drops is a function of the row,
/// so the loss is a function. A derivative that disagrees is taken again with smaller steps, and
/// then with other values of all parameters: the corner of a ReLU or of a maximum is no mistake.
/// Row 0 of tables whose padding row is frozen is left alone.
///
///   const GradientReport report = check_gradients(network, rows);
///   if (!report.problem.empty()) ...
///
/// @param network ready; its parameters have other values afterwards.
/// @param rows with T targets each; some five are enough, the loss is computed hundreds of times.
/// @throws as a training step.
GradientReport check_gradients(NetworkRecommender& network, const Batch& rows,
                               const GradientOptions& options = {});

}  // namespace recloom::testing
