#pragma once
#include <cstdint>
#include <optional>

#include "recloom/core/export.hpp"

namespace recloom::nn {

enum class OptimizerKind : std::int32_t { adam, adamw, sgd, adagrad, rmsprop, sparse_adam };

/// Settings that stay the same for a run; the learning rate is given to each step. Names and
/// meanings are those of torch.optim.
struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::adam;
  /// Coupled L2, but for adamw (decoupled) and sparse_adam (must be 0). >= 0.
  double weight_decay = 0;
  double beta1 = 0.9, beta2 = 0.999;  ///< adam, adamw, sparse_adam; in [0, 1).
  std::optional<double> epsilon;      ///< Unset: 1e-10 for adagrad, 1e-8 for the others.
  double alpha = 0.99;                ///< rmsprop; in [0, 1].
  double momentum = 0;                ///< sgd, rmsprop; >= 0.
  bool nesterov = false;              ///< sgd; needs momentum.
  bool centered = false;              ///< rmsprop
  double rate_decay = 0;              ///< adagrad (lr_decay); >= 0.
  double initial_accumulator = 0;     ///< adagrad; >= 0.

  /// @throws ConfigError naming the first setting that is out of its range.
  RECLOOM_API void validate() const;
};

/// How the learning rate goes on after the warm-up.
enum class Schedule : std::int32_t { constant, linear, cosine };

}  // namespace recloom::nn
