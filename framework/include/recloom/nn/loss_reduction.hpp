#pragma once
#include <cstdint>

namespace recloom::nn {

/// How a loss becomes one number: `train.loss_reduction`.
enum class LossReduction : std::int32_t {
  mean,      ///< Mean over the rows of a batch.
  balanced,  ///< BCE: mean over targets plus mean over negatives.
  sum,       ///< Sum over the rows of a batch.
};

}  // namespace recloom::nn
