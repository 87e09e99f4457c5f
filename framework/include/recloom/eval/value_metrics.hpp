#pragma once
#include <span>

#include "recloom/core/export.hpp"

// Metrics of predicted values against labels, pooled over all pairs, in double precision. Spans of
// one pair have equal length. @throws ConfigError if they do not. Empty spans give NaN, and so does
// a prediction or label that is NaN.
namespace recloom {

/// Area under the ROC curve: the share of (positive, negative) pairs in the right order, a tie
/// counting half. @param labels positive where above 0. NaN if one class is missing.
RECLOOM_API double auc(std::span<const float> predictions, std::span<const float> labels);
/// Mean cross-entropy in nats; predictions are clipped to [1e-15, 1 - 1e-15].
RECLOOM_API double log_loss(std::span<const float> predictions, std::span<const float> labels);
/// Mean absolute error.
RECLOOM_API double mae(std::span<const float> predictions, std::span<const float> labels);
/// Root of the mean squared error.
RECLOOM_API double rmse(std::span<const float> predictions, std::span<const float> labels);

}  // namespace recloom
