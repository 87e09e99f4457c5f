#include "nn/optim/schedule.hpp"

#include <cmath>
#include <cstdint>
#include <numbers>

namespace recloom::nn {

double learning_rate_at(const ScheduleOptions& options, std::int64_t step) {
  const double top = options.learning_rate;
  if (step < options.warmup_steps)
    return top * static_cast<double>(step + 1) / static_cast<double>(options.warmup_steps);
  if (options.kind == Schedule::constant) return top;

  const double t = static_cast<double>(step - options.warmup_steps);
  const double last = static_cast<double>(options.total_steps - options.warmup_steps);
  const double end = top * options.final_share;
  if (t >= last) return end;
  if (options.kind == Schedule::linear) return top + (end - top) * (t / last);
  return end + (top - end) * (1 + std::cos(std::numbers::pi * t / last)) / 2;
}

}  // namespace recloom::nn
