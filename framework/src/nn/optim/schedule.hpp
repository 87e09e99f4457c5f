#pragma once
#include <cstdint>

#include "recloom/core/export.hpp"
#include "recloom/nn/optimizer_options.hpp"

namespace recloom::nn {

struct ScheduleOptions {
  Schedule kind = Schedule::constant;
  double learning_rate = 1e-3;
  std::int64_t warmup_steps = 0;
  std::int64_t total_steps = 0;  ///< Of the run, warm-up included; constant does not need it.
  double final_share = 0;        ///< Where linear and cosine end, as a share of learning_rate.
};

/// Return the learning rate of step 0, 1, ...: in the warm-up learning_rate (step + 1) /
/// warmup_steps, then, with t = step - warmup_steps of T = total_steps - warmup_steps, as PyTorch's
/// LinearLR (start 1, end final_share, T iterations) or CosineAnnealingLR (eta_min = final_share
/// learning_rate, T_max = T); from t = T on it stays at the end.
RECLOOM_API double learning_rate_at(const ScheduleOptions& options, std::int64_t step);

}  // namespace recloom::nn
