#pragma once
#include "nn/step/train_step.hpp"
#include "recloom/train/options.hpp"

namespace recloom {

/// What the keys `train.*` say of a step; not the sampler's probabilities (StepOptions::log_q).
nn::StepOptions step_options(const TrainOptions& options);

}  // namespace recloom
