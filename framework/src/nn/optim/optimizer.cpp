#include "nn/optim/optimizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "core/untouched.hpp"
#include "kernels/optimizer_kernels.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

/// Names of the state tensors in the order of the kernels' arguments; empty if it is not kept.
using StateNames = std::array<std::string, 3>;

StateNames state_names(const OptimizerOptions& options) {
  const std::string momentum = options.momentum != 0 ? "momentum_buffer" : "";
  switch (options.kind) {
    case OptimizerKind::sgd:
      return {momentum};
    case OptimizerKind::adagrad:
      return {"sum"};
    case OptimizerKind::rmsprop:
      return {"square_avg", options.centered ? "grad_avg" : "", momentum};
    case OptimizerKind::adam:
    case OptimizerKind::adamw:
    case OptimizerKind::sparse_adam:
      break;
  }
  return {"exp_avg", "exp_avg_sq"};
}

}  // namespace

struct Optimizer::Impl {
  OptimizerOptions options;
  double epsilon;
  std::vector<OptimizerTensor> tensors;
  StateNames names;
  /// Per tensor and name; rows that a sparse optimizer never moves need no memory.
  std::vector<std::array<UntouchedFloats, 3>> buffers;
  std::int64_t steps = 0;
  /// Of the step in progress; the gradient's scale is set per call.
  kernels::AdamUpdate adam;
  kernels::SgdUpdate sgd;
  kernels::AdagradUpdate adagrad;
  kernels::RmspropUpdate rmsprop;

  void prepare_adam(double rate);
  float* buffer(std::size_t tensor, std::size_t slot, std::size_t first) {
    return names[slot].empty() ? nullptr : buffers[tensor][slot].data() + first;
  }
};

void Optimizer::Impl::prepare_adam(double rate) {
  const double t = static_cast<double>(steps);
  const double correction1 = 1 - std::pow(options.beta1, t);
  const double correction2 = std::sqrt(1 - std::pow(options.beta2, t));
  adam.one_minus_beta1 = static_cast<float>(1 - options.beta1);
  adam.beta2 = static_cast<float>(options.beta2);
  adam.one_minus_beta2 = static_cast<float>(1 - options.beta2);
  adam.epsilon = static_cast<float>(epsilon);
  adam.step = static_cast<float>(rate / correction1);
  adam.correction = static_cast<float>(correction2);
  if (options.kind == OptimizerKind::adam) {
    adam.weight_decay = static_cast<float>(options.weight_decay);
  } else if (options.kind == OptimizerKind::adamw) {
    adam.shrink = static_cast<float>(rate * options.weight_decay);
  } else {
    // SparseAdam adds epsilon to the square root before it is corrected.
    adam.step = static_cast<float>(rate * correction2 / correction1);
    adam.correction = 1;
  }
}

Optimizer::Optimizer(const OptimizerOptions& options, std::vector<OptimizerTensor> tensors)
    : impl_(std::make_unique<Impl>()) {
  impl_->options = options;
  impl_->epsilon = options.epsilon.value_or(options.kind == OptimizerKind::adagrad ? 1e-10 : 1e-8);
  options.validate();
  impl_->tensors = std::move(tensors);
  impl_->names = state_names(options);
  const float start = options.kind == OptimizerKind::adagrad
                          ? static_cast<float>(options.initial_accumulator)
                          : 0.0F;
  for (const OptimizerTensor& t : impl_->tensors) {
    auto& buffers = impl_->buffers.emplace_back();
    for (std::size_t slot = 0; slot < buffers.size(); ++slot)
      if (!impl_->names[slot].empty()) buffers[slot] = UntouchedFloats(t.values.size());
    if (start != 0) std::fill_n(buffers[0].data(), buffers[0].size(), start);
  }
}

Optimizer::~Optimizer() = default;

void Optimizer::begin_step(double learning_rate) {
  Impl& impl = *impl_;
  const OptimizerOptions& options = impl.options;
  ++impl.steps;
  const float decay = static_cast<float>(options.weight_decay);
  const float epsilon = static_cast<float>(impl.epsilon);
  const float rate = static_cast<float>(learning_rate);
  const float momentum = static_cast<float>(options.momentum);
  switch (options.kind) {
    case OptimizerKind::adam:
    case OptimizerKind::adamw:
    case OptimizerKind::sparse_adam:
      return impl.prepare_adam(learning_rate);
    case OptimizerKind::sgd:
      impl.sgd = {
          .weight_decay = decay, .momentum = momentum, .rate = rate, .nesterov = options.nesterov};
      return;
    case OptimizerKind::adagrad: {
      const double decayed =
          learning_rate / (1 + static_cast<double>(impl.steps - 1) * options.rate_decay);
      impl.adagrad = {
          .weight_decay = decay, .rate = static_cast<float>(decayed), .epsilon = epsilon};
      return;
    }
    case OptimizerKind::rmsprop:
      impl.rmsprop = {.weight_decay = decay,
                      .alpha = static_cast<float>(options.alpha),
                      .one_minus_alpha = static_cast<float>(1 - options.alpha),
                      .momentum = momentum,
                      .rate = rate,
                      .epsilon = epsilon};
      return;
  }
}

void Optimizer::update(std::size_t tensor, std::size_t first, std::span<const float> gradient,
                       float scale) {
  Impl& impl = *impl_;
  if (tensor >= impl.tensors.size() || first > impl.tensors[tensor].values.size() ||
      gradient.size() > impl.tensors[tensor].values.size() - first)
    throw InternalError(fmt::format("optimizer: elements {}..{} are outside tensor {}", first,
                                    first + gradient.size(), tensor));
  float* p = impl.tensors[tensor].values.data() + first;
  const float* g = gradient.data();
  const std::size_t n = gradient.size();
  const auto buffer = [&](std::size_t slot) { return impl.buffer(tensor, slot, first); };
  switch (impl.options.kind) {
    case OptimizerKind::adam:
    case OptimizerKind::adamw:
    case OptimizerKind::sparse_adam: {
      kernels::AdamUpdate step = impl.adam;
      step.scale = scale;
      return kernels::adam_update(n, step, g, p, buffer(0), buffer(1));
    }
    case OptimizerKind::sgd: {
      kernels::SgdUpdate step = impl.sgd;
      step.scale = scale;
      return kernels::sgd_update(n, step, g, p, buffer(0));
    }
    case OptimizerKind::adagrad: {
      kernels::AdagradUpdate step = impl.adagrad;
      step.scale = scale;
      return kernels::adagrad_update(n, step, g, p, buffer(0));
    }
    case OptimizerKind::rmsprop: {
      kernels::RmspropUpdate step = impl.rmsprop;
      step.scale = scale;
      return kernels::rmsprop_update(n, step, g, p, buffer(0), buffer(1), buffer(2));
    }
  }
}

void Optimizer::update_row(std::size_t tensor, std::size_t row, std::span<const float> gradient,
                           float scale) {
  update(tensor, row * gradient.size(), gradient, scale);
}

bool Optimizer::sparse() const noexcept {
  return impl_->options.kind == OptimizerKind::sparse_adam;
}

std::vector<OptimizerTensor> Optimizer::state() {
  std::vector<OptimizerTensor> all;
  for (std::size_t t = 0; t < impl_->tensors.size(); ++t)
    for (std::size_t i = 0; i < impl_->names.size(); ++i)
      if (!impl_->names[i].empty())
        all.push_back({impl_->tensors[t].name + "." + impl_->names[i],
                       {impl_->buffers[t][i].data(), impl_->buffers[t][i].size()},
                       impl_->tensors[t].columns});
  return all;
}

std::int64_t Optimizer::steps() const noexcept { return impl_->steps; }
void Optimizer::set_steps(std::int64_t steps) noexcept { impl_->steps = steps; }

double clip_scale(double norm, double max_norm) {
  if (max_norm == 0) return 1;
  return std::min(1.0, max_norm / (norm + 1e-6));
}

}  // namespace recloom::nn
