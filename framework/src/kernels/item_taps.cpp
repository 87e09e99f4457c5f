#include "kernels/item_taps.hpp"

#include <algorithm>

#include "kernels/dispatch.hpp"

// In Highway's order.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/item_taps.cpp"
#include "kernels/highway.hpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/simd-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace recloom::kernels::HWY_NAMESPACE {

// Eight filters are one vector where the machine has such; more would leave lanes empty.
using Lanes = hn::CappedTag<float, kTapLanes>;

/// Call body with the number of taps, a constant.
template <std::size_t K = kMostTaps, class Body>
HWY_INLINE void with_taps(std::size_t count, const Body& body) {
  if (count >= K)
    body(std::integral_constant<std::size_t, K>());
  else if constexpr (K > 1)
    with_taps<K - 1>(count, body);
}

template <std::size_t K>
HWY_INLINE void add_some(std::size_t lanes, std::size_t n_windows, const std::int32_t* slots,
                         const float* taps, bool accumulate, float* windows) {
  const Lanes d;
  for (std::size_t f = 0; f < lanes; f += hn::Lanes(d)) {
    const auto item = [&](std::size_t p) HWY_ATTR {
      return taps + static_cast<std::size_t>(slots[p]) * K * lanes + f;
    };
    // The items under the window that is worked on; the next one sees all but the first of them.
    const float* items[K];
    for (std::size_t k = 0; k + 1 < K; ++k) items[k + 1] = item(k);
    for (std::size_t t = 0; t < n_windows; ++t) {
      for (std::size_t k = 0; k + 1 < K; ++k) items[k] = items[k + 1];
      items[K - 1] = item(t + K - 1);
      float* const window = windows + t * lanes + f;
      auto sum = hn::LoadU(d, items[0]);
      for (std::size_t k = 1; k < K; ++k) sum = hn::Add(sum, hn::LoadU(d, items[k] + k * lanes));
      if (accumulate) sum = hn::Add(sum, hn::LoadU(d, window));
      hn::StoreU(sum, d, window);
    }
  }
}

void add_taps(const TapsShape& s, std::size_t n_windows, const std::int32_t* slots,
              const float* taps, bool accumulate, float* windows) {
  with_taps(s.taps, [&](auto k) HWY_ATTR {
    add_some<decltype(k)::value>(s.lanes, n_windows, slots, taps, accumulate, windows);
  });
}

void largest_windows(std::size_t lanes, std::size_t n_windows, const float* windows, float* best,
                     float* where) {
  const Lanes d;
  for (std::size_t f = 0; f < lanes; f += hn::Lanes(d)) {
    auto top = hn::LoadU(d, windows + f), at = hn::Zero(d);
    auto t_vector = at;
    const auto one = hn::Set(d, 1.0F);
    for (std::size_t t = 1; t < n_windows; ++t) {
      t_vector = hn::Add(t_vector, one);
      const auto value = hn::LoadU(d, windows + t * lanes + f);
      const auto better = hn::Or(hn::Gt(value, top), hn::IsNaN(value));
      top = hn::IfThenElse(better, value, top);
      at = hn::IfThenElse(better, t_vector, at);
    }
    hn::StoreU(top, d, best + f);
    hn::StoreU(at, d, where + f);
  }
}

template <std::size_t K>
HWY_INLINE void scatter_some(std::size_t lanes, std::size_t n, const std::size_t* at,
                             const float* diff, const std::int32_t* slots, float* diff_taps) {
  const Lanes d;
  for (std::size_t f = 0; f < lanes; f += hn::Lanes(d)) {
    for (std::size_t i = 0; i < n; ++i) {
      const std::int32_t* const window = slots + at[i];
      const auto g = hn::LoadU(d, diff + i * lanes + f);
      for (std::size_t k = 0; k < K; ++k) {
        float* const tap = diff_taps + (static_cast<std::size_t>(window[k]) * K + k) * lanes + f;
        hn::StoreU(hn::Add(hn::LoadU(d, tap), g), d, tap);
      }
    }
  }
}

void scatter_taps(const TapsShape& s, std::size_t n, const std::size_t* at, const float* diff,
                  const std::int32_t* slots, float* diff_taps) {
  with_taps(s.taps, [&](auto k) HWY_ATTR {
    scatter_some<decltype(k)::value>(s.lanes, n, at, diff, slots, diff_taps);
  });
}

}  // namespace recloom::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace recloom::kernels {
HWY_EXPORT(add_taps);
HWY_EXPORT(largest_windows);
HWY_EXPORT(scatter_taps);

void add_taps(const TapsShape& shape, std::size_t n_windows, const std::int32_t* slots,
              const float* taps, bool accumulate, float* windows) {
  RECLOOM_DISPATCH(add_taps)(shape, n_windows, slots, taps, accumulate, windows);
}

void largest_windows(std::size_t lanes, std::size_t n_windows, const float* windows, float* best,
                     float* where) {
  RECLOOM_DISPATCH(largest_windows)(lanes, n_windows, windows, best, where);
}

void scatter_taps(const TapsShape& shape, std::size_t n, const std::size_t* at, const float* diff,
                  const std::int32_t* slots, float* diff_taps) {
  RECLOOM_DISPATCH(scatter_taps)(shape, n, at, diff, slots, diff_taps);
}

}  // namespace recloom::kernels
#endif
