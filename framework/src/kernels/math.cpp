#include <cmath>
#include <cstddef>
#include <limits>

#include "kernels/dispatch.hpp"
#include "kernels/vector.hpp"

// In Highway's order.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/math.cpp"
#include "kernels/highway.hpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
#include "kernels/exp-inl.hpp"
#include "kernels/simd-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace recloom::kernels::HWY_NAMESPACE {

/// Highway's functions turn NaN into a number.
template <class V>
HWY_INLINE V keep_nan(V x, V result) {
  return hn::IfThenElse(hn::IsNaN(x), x, result);
}

/// Highway's Exp holds up to 88.7; beyond is infinity.
HWY_INLINE VecF32 exp_any(VecF32 x) {
  const F32 d;
  const auto infinite = hn::Gt(x, hn::Set(d, 88.722839F));
  const auto zero = hn::Lt(x, hn::Set(d, -87.33654F));
  const auto result = hn::IfThenZeroElse(zero, hn::Exp(d, hn::IfThenZeroElse(infinite, x)));
  const auto huge = hn::Set(d, std::numeric_limits<float>::infinity());
  return keep_nan(x, hn::IfThenElse(infinite, huge, result));
}

void exp(std::size_t n, const float* x, float* y) {
  map(n, x, y, [](auto v) HWY_ATTR { return exp_any(v); });
}

void log(std::size_t n, const float* x, float* y) {
  const F32 d;
  const auto infinity = hn::Set(d, std::numeric_limits<float>::infinity());
  const auto nan = hn::Set(d, std::numeric_limits<float>::quiet_NaN());
  const auto zero = hn::Zero(d);
  map(n, x, y, [&](auto v) HWY_ATTR {
    auto result = hn::Log(d, v);
    result = hn::IfThenElse(hn::Eq(v, zero), hn::Neg(infinity), result);
    result = hn::IfThenElse(hn::Eq(v, infinity), infinity, result);
    result = hn::IfThenElse(hn::Lt(v, zero), nan, result);
    return keep_nan(v, result);
  });
}

void sigmoid(std::size_t n, const float* x, float* y) {
  map(n, x, y, [](auto v) HWY_ATTR { return sigmoid_of(v); });
}

void tanh(std::size_t n, const float* x, float* y) {
  map(n, x, y, [](auto v) HWY_ATTR { return tanh_of(v); });
}

float largest(std::size_t n, const float* x) {
  const F32 d;
  const std::size_t lanes = hn::Lanes(d);
  const auto lowest = hn::Set(d, -std::numeric_limits<float>::infinity());
  auto m0 = lowest, m1 = lowest, m2 = lowest, m3 = lowest;
  std::size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    m0 = hn::Max(m0, hn::LoadU(d, x + i));
    m1 = hn::Max(m1, hn::LoadU(d, x + i + lanes));
    m2 = hn::Max(m2, hn::LoadU(d, x + i + 2 * lanes));
    m3 = hn::Max(m3, hn::LoadU(d, x + i + 3 * lanes));
  }
  for (; i + lanes <= n; i += lanes) m0 = hn::Max(m0, hn::LoadU(d, x + i));
  float result = hn::GetLane(hn::MaxOfLanes(d, hn::Max(hn::Max(m0, m1), hn::Max(m2, m3))));
  for (; i < n; ++i) result = x[i] > result ? x[i] : result;
  return result;
}

/// x[i] = e^(x[i] - shift). @return the sum, its addends grouped in blocks that float can hold.
double exp_and_sum(std::size_t n, float shift, float* x) {
  const F32 d;
  const std::size_t lanes = hn::Lanes(d);
  const auto offset = hn::Set(d, shift);
  const auto at = [&](std::size_t i) HWY_ATTR {
    const auto e = exp_nonpositive(hn::Sub(hn::LoadU(d, x + i), offset));
    hn::StoreU(e, d, x + i);
    return e;
  };
  constexpr std::size_t kBlock = 1024;
  double total = 0;
  std::size_t i = 0;
  while (i + 2 * lanes <= n) {
    const std::size_t stop = n - i < kBlock ? n : i + kBlock;
    auto s0 = hn::Zero(d), s1 = s0;
    for (; i + 2 * lanes <= stop; i += 2 * lanes) {
      s0 = hn::Add(s0, at(i));
      s1 = hn::Add(s1, at(i + lanes));
    }
    total += sum_of_lanes(hn::Add(s0, s1));
  }
  for (; i < n; i += lanes) {
    const std::size_t count = n - i < lanes ? n - i : lanes;
    const auto e = exp_nonpositive(hn::Sub(load_tail(d, x + i, count), offset));
    store_tail(e, d, x + i, count);
    for (std::size_t k = 0; k < count; ++k) total += x[i + k];
  }
  return total;
}

float cross_entropy_row(std::size_t n, std::size_t target, float weight, float* logits) {
  const float shift = largest(n, logits);
  const double target_logit = static_cast<double>(logits[target]) - shift;
  const double sum = exp_and_sum(n, shift, logits);
  const double target_share = logits[target] / sum;
  const auto factor = hn::Set(F32(), static_cast<float>(weight / sum));
  map(n, logits, logits, [factor](auto v) HWY_ATTR { return hn::Mul(v, factor); });
  logits[target] = static_cast<float>(weight * (target_share - 1));
  return static_cast<float>(std::log(sum) - target_logit);
}

void softmax_block(std::size_t n, float* x, SoftmaxState& state) {
  const float top = largest(n, x);
  if (top > state.top) {
    state.sum *= std::exp(static_cast<double>(state.top) - top);
    state.top = top;
  }
  state.sum += exp_and_sum(n, state.top, x);
}

void scaled_exp(std::size_t n, float factor, float shift, float* x) {
  const auto scale = hn::Set(F32(), factor), offset = hn::Set(F32(), shift);
  map(n, x, x,
      [&](auto v) HWY_ATTR { return hn::Mul(scale, exp_nonpositive(hn::Sub(v, offset))); });
}

}  // namespace recloom::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace recloom::kernels {
namespace {
HWY_EXPORT(exp);
HWY_EXPORT(log);
HWY_EXPORT(sigmoid);
HWY_EXPORT(tanh);
HWY_EXPORT(cross_entropy_row);
HWY_EXPORT(softmax_block);
HWY_EXPORT(scaled_exp);
}  // namespace

void exp(std::size_t n, const float* x, float* y) { RECLOOM_DISPATCH(exp)(n, x, y); }
void log(std::size_t n, const float* x, float* y) { RECLOOM_DISPATCH(log)(n, x, y); }
void sigmoid(std::size_t n, const float* x, float* y) { RECLOOM_DISPATCH(sigmoid)(n, x, y); }
void tanh(std::size_t n, const float* x, float* y) { RECLOOM_DISPATCH(tanh)(n, x, y); }
float cross_entropy_row(std::size_t n, std::size_t target, float weight, float* logits) {
  return RECLOOM_DISPATCH(cross_entropy_row)(n, target, weight, logits);
}
void softmax_block(std::size_t n, float* x, SoftmaxState& state) {
  RECLOOM_DISPATCH(softmax_block)(n, x, state);
}
void scaled_exp(std::size_t n, float factor, float shift, float* x) {
  RECLOOM_DISPATCH(scaled_exp)(n, factor, shift, x);
}

}  // namespace recloom::kernels
#endif
