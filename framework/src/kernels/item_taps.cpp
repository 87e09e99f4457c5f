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

/// Every position adds its item's taps to the windows it lies in: taps and windows are both walked
/// in order, so an item's taps stream from whatever cache they are in.
void add_windows(const TapsShape& s, const std::int32_t* slots, const float* taps, float* windows) {
  const Lanes d;
  const std::size_t step = hn::Lanes(d), last_window = s.length - s.height;
  for (std::size_t p = 0; p < s.length; ++p) {
    const float* item = taps + static_cast<std::size_t>(slots[p]) * s.height * s.lanes;
    std::size_t j = p > last_window ? p - last_window : 0;
    if (j == 0) {  // the window that begins here
      for (std::size_t f = 0; f < s.lanes; f += step)
        hn::StoreU(hn::LoadU(d, item + f), d, windows + p * s.lanes + f);
      j = 1;
    }
    for (const std::size_t end = std::min(s.height, p + 1); j < end; ++j)
      for (std::size_t f = 0; f < s.lanes; f += step) {
        float* window = windows + (p - j) * s.lanes + f;
        hn::StoreU(hn::Add(hn::LoadU(d, window), hn::LoadU(d, item + j * s.lanes + f)), d, window);
      }
  }
}

void taps_forward(const TapsShape& s, const std::int32_t* slots, const float* taps, float* windows,
                  float* best, float* where) {
  add_windows(s, slots, taps, windows);
  const Lanes d;
  for (std::size_t f = 0; f < s.lanes; f += hn::Lanes(d)) {
    auto top = hn::LoadU(d, windows + f), at = hn::Zero(d);
    for (std::size_t t = 1; t <= s.length - s.height; ++t) {
      const auto value = hn::LoadU(d, windows + t * s.lanes + f);
      const auto better = hn::Or(hn::Gt(value, top), hn::IsNaN(value));
      top = hn::IfThenElse(better, value, top);
      at = hn::IfThenElse(better, hn::Set(d, static_cast<float>(t)), at);
    }
    hn::StoreU(top, d, best + f);
    hn::StoreU(at, d, where + f);
  }
}

}  // namespace recloom::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace recloom::kernels {
HWY_EXPORT(taps_forward);

void taps_forward(const TapsShape& shape, const std::int32_t* slots, const float* taps,
                  float* windows, float* best, float* where) {
  RECLOOM_DISPATCH(taps_forward)(shape, slots, taps, windows, best, where);
}

void taps_backward(const TapsShape& shape, std::size_t filters, const std::int32_t* slots,
                   const float* diff, const float* where, float* diff_taps) {
  const std::size_t item = shape.height * shape.lanes;
  for (std::size_t f = 0; f < filters; ++f) {
    const float g = diff[f];
    if (g == 0) continue;
    const std::int32_t* window = slots + static_cast<std::size_t>(where[f]);
    float* to = diff_taps + f;
    for (std::size_t j = 0; j < shape.height; ++j, to += shape.lanes)
      to[static_cast<std::size_t>(window[j]) * item] += g;
  }
}

}  // namespace recloom::kernels
#endif
