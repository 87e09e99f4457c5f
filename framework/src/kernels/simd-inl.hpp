// Per-level helpers of the kernels: included again for every instruction set, so the guard is the
// one that Highway prescribes.
#if defined(RECLOOM_KERNELS_SIMD_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef RECLOOM_KERNELS_SIMD_INL
#undef RECLOOM_KERNELS_SIMD_INL
#else
#define RECLOOM_KERNELS_SIMD_INL
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace recloom::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::ScalableTag<float>;
using VecF32 = hn::Vec<F32>;

/// Load the `count` < lanes elements at p; the other lanes are 0. Touches nothing behind them.
template <class D>
HWY_INLINE hn::Vec<D> load_tail(D d, const hn::TFromD<D>* p, std::size_t count) {
#if HWY_TARGET <= HWY_AVX2
  return hn::MaskedLoad(hn::FirstN(d, count), d, p);
#else
  HWY_ALIGN hn::TFromD<D> buffer[hn::MaxLanes(d)] = {};
  std::memcpy(buffer, p, count * sizeof(buffer[0]));
  return hn::Load(d, buffer);
#endif
}

/// Store the first `count` < lanes elements of v at p. Touches nothing behind them.
template <class D>
HWY_INLINE void store_tail(hn::Vec<D> v, D d, hn::TFromD<D>* p, std::size_t count) {
#if HWY_TARGET <= HWY_AVX2
  hn::BlendedStore(v, hn::FirstN(d, count), d, p);
#else
  HWY_ALIGN hn::TFromD<D> buffer[hn::MaxLanes(d)];
  hn::Store(v, d, buffer);
  std::memcpy(p, buffer, count * sizeof(buffer[0]));
#endif
}

/// y[i] = f(x[i]).
template <class F>
HWY_INLINE void map(std::size_t n, const float* x, float* y, F&& f) {
  const F32 d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(f(hn::LoadU(d, x + i)), d, y + i);
  if (i < n) store_tail(f(load_tail(d, x + i, n - i)), d, y + i, n - i);
}

/// y[i] = f(x[i], y[i]).
template <class F>
HWY_INLINE void update(std::size_t n, const float* x, float* y, F&& f) {
  const F32 d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreU(f(hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, y + i);
  if (i < n) store_tail(f(load_tail(d, x + i, n - i), load_tail(d, y + i, n - i)), d, y + i, n - i);
}

/// z[i] = f(x[i], y[i], z[i]).
template <class F>
HWY_INLINE void update(std::size_t n, const float* x, const float* y, float* z, F&& f) {
  const F32 d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreU(f(hn::LoadU(d, x + i), hn::LoadU(d, y + i), hn::LoadU(d, z + i)), d, z + i);
  if (i < n)
    store_tail(
        f(load_tail(d, x + i, n - i), load_tail(d, y + i, n - i), load_tail(d, z + i, n - i)), d,
        z + i, n - i);
}

HWY_INLINE float sum_of_lanes(VecF32 v) {
  const F32 d;
  return hn::GetLane(hn::SumOfLanes(d, v));
}

}  // namespace recloom::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
