#include "kernels/activations.hpp"

#include "kernels/dispatch.hpp"

// In Highway's order.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/activations.cpp"
#include "kernels/highway.hpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/exp-inl.hpp"
#include "kernels/simd-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace recloom::kernels::HWY_NAMESPACE {

/// The normal distribution at x.
struct Normal {
  VecF32 below;  ///< Phi(x)
  VecF32 bell;   ///< e^(-x^2 / 2)
};

/// Phi(-a) = bell(a) m(a) for a >= 0. m falls slowly, from 1/2 to 0.4 / a: with t = 1 / (1 + 0.3 a)
/// it is t times a polynomial in t, a minimax fit of the relative error on [0, 13.3], where bell
/// ends. The error of the fit is 1.2e-7, with rounding 4.7e-7.
HWY_INLINE Normal normal_at(VecF32 x) {
  const F32 d;
  const auto one = hn::Set(d, 1.0F);
  const auto bell = exp_nonpositive(hn::Mul(hn::Mul(x, x), hn::Set(d, -0.5F)));
  const auto t = hn::Div(one, hn::MulAdd(hn::Abs(x), hn::Set(d, 0.3F), one));
  auto m = hn::Set(d, 0.0360361F);
  m = hn::MulAdd(m, t, hn::Set(d, -0.158712775F));
  m = hn::MulAdd(m, t, hn::Set(d, 0.20896317F));
  m = hn::MulAdd(m, t, hn::Set(d, -0.056094587F));
  m = hn::MulAdd(m, t, hn::Set(d, 0.12984273F));
  m = hn::MulAdd(m, t, hn::Set(d, 0.09952327F));
  m = hn::MulAdd(m, t, hn::Set(d, 0.12081686F));
  m = hn::MulAdd(m, t, hn::Set(d, 0.119625166F));
  const auto tail = hn::Mul(hn::Mul(m, t), bell);
  return {hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(one, tail)), bell};
}

/// dx = dy slope(x), or dx += that.
template <class Slope>
HWY_INLINE void times_slope(std::size_t n, const float* x, const float* dy, float* dx,
                            bool accumulate, const Slope& slope) {
  const F32 d;
  for_vectors(n, [&](auto at, std::size_t i) HWY_ATTR {
    const auto sum = accumulate ? at.load(d, dx + i) : hn::Zero(d);
    at.store(hn::MulAdd(at.load(d, dy + i), slope(at.load(d, x + i)), sum), d, dx + i);
  });
}

void gelu(std::size_t n, const float* x, float* y) {
  map(n, x, y, [](auto v) HWY_ATTR { return hn::Mul(v, normal_at(v).below); });
}

void gelu_backward(std::size_t n, const float* x, const float* dy, float* dx, bool accumulate) {
  const auto density = hn::Set(F32(), 0.3989422804F);  // 1 / sqrt(2 pi)
  times_slope(n, x, dy, dx, accumulate, [density](auto v) HWY_ATTR {
    const Normal normal = normal_at(v);
    return hn::MulAdd(hn::Mul(v, density), normal.bell, normal.below);
  });
}

void swish(std::size_t n, const float* x, float* y) {
  map(n, x, y, [](auto v) HWY_ATTR { return hn::Mul(v, sigmoid_of(v)); });
}

void swish_backward(std::size_t n, const float* x, const float* dy, float* dx, bool accumulate) {
  times_slope(n, x, dy, dx, accumulate, [](auto v) HWY_ATTR {
    const auto s = sigmoid_of(v), y = hn::Mul(v, s);
    return hn::NegMulAdd(y, s, hn::Add(s, y));
  });
}

}  // namespace recloom::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace recloom::kernels {
namespace {
HWY_EXPORT(gelu);
HWY_EXPORT(gelu_backward);
HWY_EXPORT(swish);
HWY_EXPORT(swish_backward);
}  // namespace

void gelu(std::size_t n, const float* x, float* y) { RECLOOM_DISPATCH(gelu)(n, x, y); }
void gelu_backward(std::size_t n, const float* x, const float* dy, float* dx, bool accumulate) {
  RECLOOM_DISPATCH(gelu_backward)(n, x, dy, dx, accumulate);
}
void swish(std::size_t n, const float* x, float* y) { RECLOOM_DISPATCH(swish)(n, x, y); }
void swish_backward(std::size_t n, const float* x, const float* dy, float* dx, bool accumulate) {
  RECLOOM_DISPATCH(swish_backward)(n, x, dy, dx, accumulate);
}

}  // namespace recloom::kernels
#endif
