#include "kernels/layer_norm.hpp"

#include <cmath>

#include "kernels/dispatch.hpp"

// In Highway's order.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/layer_norm.cpp"
#include "kernels/highway.hpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/simd-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace recloom::kernels::HWY_NAMESPACE {

/// Mean and 1 / deviation of a row. A first mean in float may be off by its rounding; differences
/// from it are small, so their sum tells how much.
HWY_INLINE void moments_of(std::size_t n, const float* x, double epsilon, float* moments) {
  const F32 d;
  const auto count = static_cast<double>(n);
  auto sum = hn::Zero(d);
  for_vectors(n, [&](auto at, std::size_t i) HWY_ATTR { sum = hn::Add(sum, at.load(d, x + i)); });
  const auto mean = static_cast<float>(sum_of_lanes(sum) / count);
  auto differences = hn::Zero(d), squares = differences;
  for_vectors(n, [&](auto at, std::size_t i) HWY_ATTR {
    const auto difference = at.only(d, hn::Sub(at.load(d, x + i), hn::Set(d, mean)));
    differences = hn::Add(differences, difference);
    squares = hn::MulAdd(difference, difference, squares);
  });
  const double off = sum_of_lanes(differences) / count;
  const double variance = sum_of_lanes(squares) / count - off * off;
  moments[0] = static_cast<float>(mean + off);
  moments[1] = static_cast<float>(1 / std::sqrt(variance + epsilon));
}

void layer_norm(std::size_t rows, std::size_t n, const float* x, const float* gain,
                const float* bias, double epsilon, float* y, float* moments) {
  const F32 d;
  for (std::size_t row = 0; row < rows; ++row, x += n, y += n, moments += 2) {
    moments_of(n, x, epsilon, moments);
    const auto mean = hn::Set(d, moments[0]), scale = hn::Set(d, moments[1]);
    for_vectors(n, [&](auto at, std::size_t i) HWY_ATTR {
      const auto normal = hn::Mul(hn::Sub(at.load(d, x + i), mean), scale);
      at.store(hn::MulAdd(normal, at.load(d, gain + i), at.load(d, bias + i)), d, y + i);
    });
  }
}

/// dgain += dy normal, dbias += dy of one row.
HWY_INLINE void add_parameter_diffs(std::size_t n, const float* x, VecF32 mean, VecF32 scale,
                                    const float* dy, float* dgain, float* dbias) {
  if (dgain != nullptr)
    update(n, x, dy, dgain, [&](auto v, auto g, auto total) HWY_ATTR {
      return hn::MulAdd(g, hn::Mul(hn::Sub(v, mean), scale), total);
    });
  if (dbias != nullptr)
    update(n, dy, dbias, [](auto g, auto total) HWY_ATTR { return hn::Add(total, g); });
}

/// dx += scale (g - mean of g - normal * mean of (g normal)), g = dy gain, of one row.
HWY_INLINE void add_row_diff(std::size_t n, const float* x, const float* gain, VecF32 mean,
                             VecF32 scale, const float* dy, float* dx, bool accumulate) {
  const F32 d;
  auto sum = hn::Zero(d), sum_normal = sum;
  for_vectors(n, [&](auto at, std::size_t i) HWY_ATTR {
    const auto g = hn::Mul(at.load(d, dy + i), at.load(d, gain + i));
    sum = hn::Add(sum, g);
    sum_normal = hn::MulAdd(g, hn::Mul(hn::Sub(at.load(d, x + i), mean), scale), sum_normal);
  });
  const auto share = 1.0F / static_cast<float>(n);
  const auto g_mean = hn::Set(d, sum_of_lanes(sum) * share);
  const auto normal_mean = hn::Set(d, sum_of_lanes(sum_normal) * share);
  for_vectors(n, [&](auto at, std::size_t i) HWY_ATTR {
    const auto normal = hn::Mul(hn::Sub(at.load(d, x + i), mean), scale);
    const auto g = hn::MulSub(at.load(d, dy + i), at.load(d, gain + i), g_mean);
    const auto own = hn::NegMulAdd(normal, normal_mean, g);
    const auto before = accumulate ? at.load(d, dx + i) : hn::Zero(d);
    at.store(hn::MulAdd(own, scale, before), d, dx + i);
  });
}

void layer_norm_backward(std::size_t rows, std::size_t n, const float* x, const float* gain,
                         const float* moments, const float* dy, float* dx, float* dgain,
                         float* dbias, bool accumulate) {
  const F32 d;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t at = row * n;
    const auto mean = hn::Set(d, moments[2 * row]), scale = hn::Set(d, moments[2 * row + 1]);
    add_parameter_diffs(n, x + at, mean, scale, dy + at, dgain, dbias);
    if (dx != nullptr) add_row_diff(n, x + at, gain, mean, scale, dy + at, dx + at, accumulate);
  }
}

}  // namespace recloom::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace recloom::kernels {
namespace {
HWY_EXPORT(layer_norm);
HWY_EXPORT(layer_norm_backward);
}  // namespace

void layer_norm(std::size_t rows, std::size_t n, const float* x, const float* gain,
                const float* bias, double epsilon, float* y, float* moments) {
  RECLOOM_DISPATCH(layer_norm)(rows, n, x, gain, bias, epsilon, y, moments);
}
void layer_norm_backward(std::size_t rows, std::size_t n, const float* x, const float* gain,
                         const float* moments, const float* dy, float* dx, float* dgain,
                         float* dbias, bool accumulate) {
  RECLOOM_DISPATCH(layer_norm_backward)
  (rows, n, x, gain, moments, dy, dx, dgain, dbias, accumulate);
}

}  // namespace recloom::kernels
#endif
