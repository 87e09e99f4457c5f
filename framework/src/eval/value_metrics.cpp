#include "recloom/eval/value_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr double kClip = 1e-15;  // RecBole's (metrics.py, LogLoss).
constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();

template <class Term>
double mean(std::span<const float> predictions, std::span<const float> labels, const Term& term) {
  if (predictions.size() != labels.size())
    throw ConfigError("a value metric got " + std::to_string(predictions.size()) +
                      " predictions and " + std::to_string(labels.size()) + " labels");
  if (predictions.empty()) return kNoValue;
  double sum = 0;
  for (std::size_t pair = 0; pair < predictions.size(); ++pair)
    sum += term(static_cast<double>(predictions[pair]), static_cast<double>(labels[pair]));
  return sum / static_cast<double>(predictions.size());
}

}  // namespace

double auc(std::span<const float> predictions, std::span<const float> labels) {
  // What is no number has no place in an order, and comparisons with it would never end the loop.
  const double share = mean(predictions, labels, [](double prediction, double label) {
    if (std::isnan(prediction) || std::isnan(label)) return kNoValue;
    return label > 0 ? 1.0 : 0.0;
  });
  if (std::isnan(share) || share == 0 || share == 1) return kNoValue;
  std::vector<std::size_t> order(predictions.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t pair) { return predictions[pair]; });
  double ordered_pairs = 0, negatives = 0, positives = 0;
  for (std::size_t first = 0; first < order.size();) {
    double tied_positives = 0, tied_negatives = 0;
    const float value = predictions[order[first]];
    for (; first < order.size() && predictions[order[first]] == value; ++first)
      (labels[order[first]] > 0 ? tied_positives : tied_negatives) += 1;
    ordered_pairs += tied_positives * (negatives + tied_negatives / 2);
    positives += tied_positives;
    negatives += tied_negatives;
  }
  return ordered_pairs / (positives * negatives);
}

double log_loss(std::span<const float> predictions, std::span<const float> labels) {
  return mean(predictions, labels, [](double prediction, double label) {
    const double p = std::clamp(prediction, kClip, 1 - kClip);
    return -(label * std::log(p) + (1 - label) * std::log1p(-p));
  });
}

double mae(std::span<const float> predictions, std::span<const float> labels) {
  return mean(predictions, labels, [](double p, double label) { return std::abs(p - label); });
}

double rmse(std::span<const float> predictions, std::span<const float> labels) {
  return std::sqrt(
      mean(predictions, labels, [](double p, double label) { return (p - label) * (p - label); }));
}

}  // namespace recloom
