#pragma once
#include <cstddef>

// One pass over parameters, gradient and state per optimizer, SIMD-dispatched as
// kernels/vector.hpp. In all of them the gradient is g = scale * gradient + weight_decay * p.
namespace recloom::kernels {

/// p *= 1 - shrink; m += (1-beta1) (g - m); v = beta2 v + (1-beta2) g^2;
/// p -= step m / (sqrt(v) / correction + epsilon), which is Adam, AdamW and SparseAdam.
struct AdamUpdate {
  float scale = 1, weight_decay = 0, shrink = 0;
  float one_minus_beta1 = 0, beta2 = 0, one_minus_beta2 = 0;
  float step = 0, correction = 1, epsilon = 0;
};
void adam_update(std::size_t n, const AdamUpdate& u, const float* gradient, float* p, float* m,
                 float* v);

/// buffer = momentum buffer + g; p -= rate (nesterov ? g + momentum buffer : buffer).
/// Without momentum `buffer` is not used and p -= rate g.
struct SgdUpdate {
  float scale = 1, weight_decay = 0, momentum = 0, rate = 0;
  bool nesterov = false;
};
void sgd_update(std::size_t n, const SgdUpdate& u, const float* gradient, float* p, float* buffer);

/// sum += g^2; p -= rate g / (sqrt(sum) + epsilon).
struct AdagradUpdate {
  float scale = 1, weight_decay = 0, rate = 0, epsilon = 0;
};
void adagrad_update(std::size_t n, const AdagradUpdate& u, const float* gradient, float* p,
                    float* sum);

/// square = alpha square + (1-alpha) g^2; average += (1-alpha) (g - average);
/// r = g / (sqrt(square - average^2) + epsilon); buffer = momentum buffer + r; p -= rate buffer.
/// `average` is null if the second moment is not centered, `buffer` without momentum (p -= rate r).
struct RmspropUpdate {
  float scale = 1, weight_decay = 0, alpha = 0, one_minus_alpha = 0;
  float momentum = 0, rate = 0, epsilon = 0;
};
void rmsprop_update(std::size_t n, const RmspropUpdate& u, const float* gradient, float* p,
                    float* square, float* average, float* buffer);

}  // namespace recloom::kernels
