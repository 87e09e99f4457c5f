#include "train/stopping_rule.hpp"

#include "recloom/eval/rounding.hpp"

namespace recloom {

bool StoppingRule::improves(double value, double best) const {
  if (!rounded) return higher_is_better ? value > best : value < best;
  const double new_value = round_as_recbole(metric, value);
  const double old_value = round_as_recbole(metric, best);
  return higher_is_better ? new_value >= old_value : new_value <= old_value;
}

}  // namespace recloom
