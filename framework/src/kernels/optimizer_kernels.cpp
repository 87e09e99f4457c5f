#include "kernels/optimizer_kernels.hpp"

#include <cstddef>

#include "kernels/dispatch.hpp"

// In Highway's order.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/optimizer_kernels.cpp"
#include "kernels/highway.hpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/simd-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace recloom::kernels::HWY_NAMESPACE {

HWY_INLINE VecF32 all(float value) { return hn::Set(F32(), value); }

// The constants are set once, before the loops: the compiler may not assume that the stores leave
// the struct alone. Numerator and denominator of the change are multiplied by the correction, which
// leaves one division for each number: it and the square root are what the loop waits for.
void adam_update(std::size_t n, const AdamUpdate& u, const float* gradient, float* p, float* m,
                 float* v) {
  const F32 d;
  const VecF32 scale = all(u.scale), decay = all(u.weight_decay), keep = all(1 - u.shrink);
  const VecF32 first = all(u.one_minus_beta1), beta2 = all(u.beta2);
  const VecF32 second = all(u.one_minus_beta2);
  const VecF32 step = all(u.step * u.correction), epsilon = all(u.epsilon * u.correction);
  for_vectors(n, [&](auto at, std::size_t i) HWY_ATTR {
    const auto old = at.load(d, p + i);
    const auto g = hn::MulAdd(decay, old, hn::Mul(scale, at.load(d, gradient + i)));
    const auto m_old = at.load(d, m + i);
    const auto m_new = hn::MulAdd(first, hn::Sub(g, m_old), m_old);
    const auto v_new = hn::MulAdd(beta2, at.load(d, v + i), hn::Mul(hn::Mul(second, g), g));
    at.store(m_new, d, m + i);
    at.store(v_new, d, v + i);
    const auto change = hn::Div(hn::Mul(step, m_new), hn::Add(hn::Sqrt(v_new), epsilon));
    at.store(hn::Sub(hn::Mul(old, keep), change), d, p + i);
  });
}

void sgd_update(std::size_t n, const SgdUpdate& u, const float* gradient, float* p, float* buffer) {
  const F32 d;
  const VecF32 scale = all(u.scale), decay = all(u.weight_decay);
  const VecF32 momentum = all(u.momentum), rate = all(u.rate);
  const bool with_momentum = u.momentum != 0, nesterov = u.nesterov;
  for_vectors(n, [&](auto at, std::size_t i) HWY_ATTR {
    const auto old = at.load(d, p + i);
    const auto g = hn::MulAdd(decay, old, hn::Mul(scale, at.load(d, gradient + i)));
    auto direction = g;
    if (with_momentum) {
      const auto moved = hn::MulAdd(momentum, at.load(d, buffer + i), g);
      at.store(moved, d, buffer + i);
      direction = nesterov ? hn::MulAdd(momentum, moved, g) : moved;
    }
    at.store(hn::NegMulAdd(rate, direction, old), d, p + i);
  });
}

void adagrad_update(std::size_t n, const AdagradUpdate& u, const float* gradient, float* p,
                    float* sum) {
  const F32 d;
  const VecF32 scale = all(u.scale), decay = all(u.weight_decay);
  const VecF32 rate = all(u.rate), epsilon = all(u.epsilon);
  for_vectors(n, [&](auto at, std::size_t i) HWY_ATTR {
    const auto old = at.load(d, p + i);
    const auto g = hn::MulAdd(decay, old, hn::Mul(scale, at.load(d, gradient + i)));
    const auto total = hn::MulAdd(g, g, at.load(d, sum + i));
    at.store(total, d, sum + i);
    const auto change = hn::Div(hn::Mul(rate, g), hn::Add(hn::Sqrt(total), epsilon));
    at.store(hn::Sub(old, change), d, p + i);
  });
}

void rmsprop_update(std::size_t n, const RmspropUpdate& u, const float* gradient, float* p,
                    float* square, float* average, float* buffer) {
  const F32 d;
  const VecF32 scale = all(u.scale), decay = all(u.weight_decay);
  const VecF32 alpha = all(u.alpha), fresh = all(u.one_minus_alpha);
  const VecF32 momentum = all(u.momentum), rate = all(u.rate), epsilon = all(u.epsilon);
  const VecF32 zero = hn::Zero(d);
  for_vectors(n, [&](auto at, std::size_t i) HWY_ATTR {
    const auto old = at.load(d, p + i);
    const auto g = hn::MulAdd(decay, old, hn::Mul(scale, at.load(d, gradient + i)));
    auto moment = hn::MulAdd(alpha, at.load(d, square + i), hn::Mul(hn::Mul(fresh, g), g));
    at.store(moment, d, square + i);
    if (average != nullptr) {
      const auto mean_old = at.load(d, average + i);
      const auto mean = hn::MulAdd(fresh, hn::Sub(g, mean_old), mean_old);
      at.store(mean, d, average + i);
      // A variance: rounding may leave it below 0, and NaN must stay.
      moment = hn::NegMulAdd(mean, mean, moment);
      moment = hn::IfThenZeroElse(hn::Lt(moment, zero), moment);
    }
    auto direction = hn::Div(g, hn::Add(hn::Sqrt(moment), epsilon));
    if (buffer != nullptr) {
      direction = hn::MulAdd(momentum, at.load(d, buffer + i), direction);
      at.store(direction, d, buffer + i);
    }
    at.store(hn::NegMulAdd(rate, direction, old), d, p + i);
  });
}

}  // namespace recloom::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace recloom::kernels {
namespace {
HWY_EXPORT(adam_update);
HWY_EXPORT(sgd_update);
HWY_EXPORT(adagrad_update);
HWY_EXPORT(rmsprop_update);
}  // namespace

void adam_update(std::size_t n, const AdamUpdate& u, const float* gradient, float* p, float* m,
                 float* v) {
  RECLOOM_DISPATCH(adam_update)(n, u, gradient, p, m, v);
}
void sgd_update(std::size_t n, const SgdUpdate& u, const float* gradient, float* p, float* buffer) {
  RECLOOM_DISPATCH(sgd_update)(n, u, gradient, p, buffer);
}
void adagrad_update(std::size_t n, const AdagradUpdate& u, const float* gradient, float* p,
                    float* sum) {
  RECLOOM_DISPATCH(adagrad_update)(n, u, gradient, p, sum);
}
void rmsprop_update(std::size_t n, const RmspropUpdate& u, const float* gradient, float* p,
                    float* square, float* average, float* buffer) {
  RECLOOM_DISPATCH(rmsprop_update)(n, u, gradient, p, square, average, buffer);
}

}  // namespace recloom::kernels
#endif
