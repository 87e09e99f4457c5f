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

/// How for_vectors() lets its body reach memory: whole vectors, or the last ones of an array.
struct Whole {
  template <class D>
  HWY_INLINE hn::Vec<D> load(D d, const hn::TFromD<D>* p) const {
    return hn::LoadU(d, p);
  }
  template <class D>
  HWY_INLINE void store(hn::Vec<D> v, D d, hn::TFromD<D>* p) const {
    hn::StoreU(v, d, p);
  }
  /// v where the array has elements, else 0: what sums may take.
  template <class D>
  HWY_INLINE hn::Vec<D> only(D, hn::Vec<D> v) const {
    return v;
  }
};
struct Tail {
  std::size_t count;
  template <class D>
  HWY_INLINE hn::Vec<D> load(D d, const hn::TFromD<D>* p) const {
    return load_tail(d, p, count);
  }
  template <class D>
  HWY_INLINE void store(hn::Vec<D> v, D d, hn::TFromD<D>* p) const {
    store_tail(v, d, p, count);
  }
  template <class D>
  HWY_INLINE hn::Vec<D> only(D d, hn::Vec<D> v) const {
    return hn::IfThenElseZero(hn::FirstN(d, count), v);
  }
};

/// Call body(access, i) for the elements i, i + 1, ... of each vector of n floats.
template <class F>
HWY_INLINE void for_vectors(std::size_t n, F&& body) {
  const std::size_t lanes = hn::Lanes(F32());
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) body(Whole(), i);
  if (i < n) body(Tail{n - i}, i);
}

/// y[i] = f(x[i]).
template <class F>
HWY_INLINE void map(std::size_t n, const float* x, float* y, F&& f) {
  const F32 d;
  for_vectors(n,
              [&](auto at, std::size_t i) HWY_ATTR { at.store(f(at.load(d, x + i)), d, y + i); });
}

/// y[i] = f(x[i], y[i]).
template <class F>
HWY_INLINE void update(std::size_t n, const float* x, float* y, F&& f) {
  const F32 d;
  for_vectors(n, [&](auto at, std::size_t i)
                     HWY_ATTR { at.store(f(at.load(d, x + i), at.load(d, y + i)), d, y + i); });
}

/// z[i] = f(x[i], y[i], z[i]).
template <class F>
HWY_INLINE void update(std::size_t n, const float* x, const float* y, float* z, F&& f) {
  const F32 d;
  for_vectors(n, [&](auto at, std::size_t i) HWY_ATTR {
    at.store(f(at.load(d, x + i), at.load(d, y + i), at.load(d, z + i)), d, z + i);
  });
}

HWY_INLINE float sum_of_lanes(VecF32 v) {
  const F32 d;
  return hn::GetLane(hn::SumOfLanes(d, v));
}

}  // namespace recloom::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
