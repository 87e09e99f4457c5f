#include "kernels/item_mix.hpp"

#include <algorithm>

#include "core/scratch.hpp"
#include "kernels/dispatch.hpp"

// In Highway's order.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/item_mix.cpp"
#include "kernels/highway.hpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/simd-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace recloom::kernels::HWY_NAMESPACE {

constexpr std::size_t kFilters = 4;  // at a time: their sums stay in registers
constexpr std::size_t kLanes = hn::MaxLanes(F32());

/// Call body with how many filters to take at once, a constant, and the first of them.
template <std::size_t K = kFilters, class Body>
HWY_INLINE void for_filters(std::size_t filters, std::size_t first, const Body& body) {
  for (; first + K <= filters; first += K) body(std::integral_constant<std::size_t, K>(), first);
  if constexpr (K > 1) for_filters<K - 1>(filters, first, body);
}

template <std::size_t K>
HWY_INLINE void forward_some(const MixRows& m, std::size_t first, const float* bias, float* y) {
  const F32 d;
  const float* const weight = m.weight + first * m.length;
  for (std::size_t row = 0; row < m.rows; ++row) {
    const std::int32_t* const slots = m.slots + m.row_slots[row];
    float* const out = y + (row * m.filters + first) * m.columns;
    for_vectors(m.columns, [&](auto at, std::size_t column) HWY_ATTR {
      VecF32 sums[K];
      for (std::size_t k = 0; k < K; ++k) sums[k] = hn::Set(d, bias[first + k]);
      for (std::size_t t = 0; t < m.length; ++t) {
        const auto v =
            at.load(d, m.vectors + static_cast<std::size_t>(slots[t]) * m.columns + column);
        for (std::size_t k = 0; k < K; ++k)
          sums[k] = hn::MulAdd(hn::Set(d, weight[k * m.length + t]), v, sums[k]);
      }
      for (std::size_t k = 0; k < K; ++k) at.store(sums[k], d, out + k * m.columns + column);
    });
  }
}

void mix_forward(const MixRows& m, const float* bias, float* y) {
  for_filters(m.filters, 0, [&](auto k, std::size_t first) HWY_ATTR {
    forward_some<decltype(k)::value>(m, first, bias, y);
  });
}

/// @param lanes [K, length + 1, kLanes] gradients of the weights and the bias, not yet summed up.
template <std::size_t K>
HWY_INLINE void backward_some(const MixRows& m, std::size_t first, const float* dy,
                              float* diff_vectors, float* lanes) {
  const F32 d;
  const float* const weight = m.weight + first * m.length;
  const std::size_t stride = (m.length + 1) * kLanes;
  for (std::size_t row = 0; row < m.rows; ++row) {
    const std::int32_t* const slots = m.slots + m.row_slots[row];
    const float* const from = dy + (row * m.filters + first) * m.columns;
    for_vectors(m.columns, [&](auto at, std::size_t column) HWY_ATTR {
      VecF32 g[K];
      for (std::size_t k = 0; k < K; ++k) {
        g[k] = at.load(d, from + k * m.columns + column);
        float* const bias = lanes + k * stride + m.length * kLanes;
        hn::StoreU(hn::Add(hn::LoadU(d, bias), g[k]), d, bias);
      }
      for (std::size_t t = 0; t < m.length; ++t) {
        const std::size_t item = static_cast<std::size_t>(slots[t]) * m.columns + column;
        const auto v = at.load(d, m.vectors + item);
        auto dv = at.load(d, diff_vectors + item);
        for (std::size_t k = 0; k < K; ++k) {
          dv = hn::MulAdd(hn::Set(d, weight[k * m.length + t]), g[k], dv);
          float* const dw = lanes + k * stride + t * kLanes;
          hn::StoreU(hn::MulAdd(v, g[k], hn::LoadU(d, dw)), d, dw);
        }
        at.store(dv, d, diff_vectors + item);
      }
    });
  }
}

void mix_backward(const MixRows& m, const float* dy, float* diff_vectors, float* diff_weight,
                  float* diff_bias, float* lanes) {
  const F32 d;
  for_filters(m.filters, 0, [&](auto k, std::size_t first) HWY_ATTR {
    constexpr std::size_t kSome = decltype(k)::value;
    std::fill_n(lanes, kSome * (m.length + 1) * kLanes, 0.0F);
    backward_some<kSome>(m, first, dy, diff_vectors, lanes);
    const float* sums = lanes;
    for (std::size_t f = first; f < first + kSome; ++f) {
      for (std::size_t t = 0; t < m.length; ++t, sums += kLanes)
        diff_weight[f * m.length + t] += sum_of_lanes(hn::LoadU(d, sums));
      diff_bias[f] += sum_of_lanes(hn::LoadU(d, sums));
      sums += kLanes;
    }
  });
}

std::size_t lanes_size(std::size_t length) { return kFilters * (length + 1) * kLanes; }

}  // namespace recloom::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace recloom::kernels {
HWY_EXPORT(mix_forward);
HWY_EXPORT(mix_backward);
HWY_EXPORT(lanes_size);

void mix_forward(const MixRows& m, const float* bias, float* y) {
  RECLOOM_DISPATCH(mix_forward)(m, bias, y);
}

void mix_backward(const MixRows& m, const float* dy, float* diff_vectors, float* diff_weight,
                  float* diff_bias) {
  Scratch scratch;
  float* const lanes = scratch.floats(RECLOOM_DISPATCH(lanes_size)(m.length));
  RECLOOM_DISPATCH(mix_backward)(m, dy, diff_vectors, diff_weight, diff_bias, lanes);
}

}  // namespace recloom::kernels
#endif
