#include "kernels/attention.hpp"

#include <algorithm>
#include <limits>

#include "kernels/dispatch.hpp"

// In Highway's order.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention.cpp"
#include "kernels/highway.hpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/exp-inl.hpp"
#include "kernels/simd-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace recloom::kernels::HWY_NAMESPACE {

/// v = scale s + mask. @return the largest.
float masked_scores(std::size_t n, float scale, const float* mask, const float* s, float* v) {
  const F32 d;
  const std::size_t lanes = hn::Lanes(d);
  const auto factor = hn::Set(d, scale);
  auto top = hn::Set(d, -std::numeric_limits<float>::infinity());
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    auto x = hn::Mul(factor, hn::LoadU(d, s + i));
    if (mask != nullptr) x = hn::Add(x, hn::LoadU(d, mask + i));
    hn::StoreU(x, d, v + i);
    top = hn::Max(top, x);
  }
  float largest = hn::GetLane(hn::MaxOfLanes(d, top));
  for (; i < n; ++i) {
    v[i] = scale * s[i] + (mask == nullptr ? 0.0F : mask[i]);
    largest = v[i] > largest ? v[i] : largest;
  }
  return largest;
}

void masked_softmax(std::size_t n, float scale, const float* mask, const float* s, float* p) {
  const F32 d;
  const float largest = masked_scores(n, scale, mask, s, p);
  if (largest == -std::numeric_limits<float>::infinity()) {
    std::fill_n(p, n, 0.0F);
    return;
  }
  const auto shift = hn::Set(d, largest);
  auto sums = hn::Zero(d);
  float rest = 0;
  for_vectors(n, [&](auto at, std::size_t i) HWY_ATTR {
    const auto e = exp_nonpositive(hn::Sub(at.load(d, p + i), shift));
    at.store(e, d, p + i);
    if (i + hn::Lanes(d) <= n)
      sums = hn::Add(sums, e);
    else
      for (std::size_t k = i; k < n; ++k) rest += p[k];
  });
  const auto factor = hn::Set(d, 1.0F / (sum_of_lanes(sums) + rest));
  map(n, p, p, [&](auto e) HWY_ATTR { return hn::Mul(e, factor); });
}

void masked_softmax_backward(std::size_t n, float scale, const float* p, const float* dp,
                             float* ds) {
  const F32 d;
  auto sums = hn::Zero(d);
  for_vectors(n, [&](auto at, std::size_t i)
                     HWY_ATTR { sums = hn::MulAdd(at.load(d, p + i), at.load(d, dp + i), sums); });
  const auto mean = hn::Set(d, sum_of_lanes(sums)), factor = hn::Set(d, scale);
  for_vectors(n, [&](auto at, std::size_t i) HWY_ATTR {
    const auto slope = hn::Sub(at.load(d, dp + i), mean);
    at.store(hn::Mul(hn::Mul(factor, at.load(d, p + i)), slope), d, ds + i);
  });
}

void keep_scaled(std::size_t n, float factor, const float* kept, float* x) {
  const F32 d;
  const auto scale = hn::Set(d, factor), zero = hn::Zero(d);
  update(n, kept, x, [&](auto k, auto v) HWY_ATTR {
    return hn::IfThenZeroElse(hn::Eq(k, zero), hn::Mul(v, scale));
  });
}

}  // namespace recloom::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace recloom::kernels {
namespace {
HWY_EXPORT(masked_softmax);
HWY_EXPORT(masked_softmax_backward);
HWY_EXPORT(keep_scaled);
}  // namespace

void masked_softmax(std::size_t n, float scale, const float* mask, const float* s, float* p) {
  RECLOOM_DISPATCH(masked_softmax)(n, scale, mask, s, p);
}
void masked_softmax_backward(std::size_t n, float scale, const float* p, const float* dp,
                             float* ds) {
  RECLOOM_DISPATCH(masked_softmax_backward)(n, scale, p, dp, ds);
}

void keep_scaled(std::size_t n, float factor, const float* kept, float* x) {
  RECLOOM_DISPATCH(keep_scaled)(n, factor, kept, x);
}

}  // namespace recloom::kernels
#endif
