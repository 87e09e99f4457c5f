#include "train/stopping_rule.hpp"

#include <cmath>

namespace recloom {
namespace {

double round_to_four_decimals(double value) {
  // std::nearbyint rounds halves to even in the default rounding mode, as numpy.round does after
  // the same multiplication.
  return std::nearbyint(value * 1e4) / 1e4;
}

}  // namespace

bool StoppingRule::improves(double value, double best) const noexcept {
  if (!rounded) return higher_is_better ? value > best : value < best;
  const double new_value = round_to_four_decimals(value);
  const double old_value = round_to_four_decimals(best);
  return higher_is_better ? new_value >= old_value : new_value <= old_value;
}

}  // namespace recloom
