#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/nn/optimizer_options.hpp"

namespace recloom::nn {

/// What an optimizer updates: a named tensor, rows x columns (columns: floats of a row).
struct OptimizerTensor {
  std::string name;
  std::span<float> values;
  std::size_t columns = 1;
};

/// PyTorch's optimizers (torch.optim 2.x semantics, its defaults for all that is not an option).
/// Each element depends on its own history only, so disjoint ranges may be updated in any order and
/// by any thread with the same bits.
class RECLOOM_API Optimizer {
 public:
  /// The tensors' values must outlive the optimizer. @throws ConfigError an option out of range.
  Optimizer(const OptimizerOptions& options, std::vector<OptimizerTensor> tensors);
  ~Optimizer();
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Begin a step: counts it and fixes its bias corrections. Not thread safe.
  void begin_step(double learning_rate);
  /// Update elements first..first+gradient.size()-1 of a tensor with scale * gradient. Thread safe
  /// for disjoint ranges.
  void update(std::size_t tensor, std::size_t first, std::span<const float> gradient, float scale);
  /// Update one row (SparseAdam: rows without a gradient are left alone).
  void update_row(std::size_t tensor, std::size_t row, std::span<const float> gradient,
                  float scale);
  bool sparse() const noexcept;  ///< Wants update_row() for touched rows only.

  /// The state that a checkpoint must hold: "<tensor>.exp_avg", ... Same order on every run.
  std::vector<OptimizerTensor> state();
  std::int64_t steps() const noexcept;
  void set_steps(std::int64_t steps) noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Return what gradients are multiplied with so that their global norm is at most `max_norm`
/// (clip_grad_norm_: min(1, max / (norm + 1e-6))); 1 if max_norm is 0.
RECLOOM_API double clip_scale(double norm, double max_norm);

}  // namespace recloom::nn
