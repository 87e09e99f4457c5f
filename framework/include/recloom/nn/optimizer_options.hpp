#pragma once
#include <cstdint>

namespace recloom::nn {

enum class OptimizerKind : std::int32_t { adam, adamw, sgd, adagrad, rmsprop, sparse_adam };

/// Settings that stay the same for a run; the learning rate is given to each step.
struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::adam;
  double weight_decay = 0;  ///< Coupled L2, but for adamw (decoupled) and sparse_adam (must be 0).
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  ///< adam, adamw, sparse_adam
  double alpha = 0.99;      ///< rmsprop
  double momentum = 0;      ///< sgd
};

}  // namespace recloom::nn
