#include "kernels/gru.hpp"

#include "kernels/dispatch.hpp"

// In Highway's order.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gru.cpp"
#include "kernels/highway.hpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/exp-inl.hpp"
#include "kernels/simd-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace recloom::kernels::HWY_NAMESPACE {

// Two loops: the processor looks a few iterations ahead, so short ones overlap more.
void gru_step(std::size_t rows, std::size_t hidden, const float* sums, std::size_t sums_stride,
              const float* h, float* gates, float* next) {
  const F32 d;
  for (std::size_t row = 0; row < rows; ++row) {
    const float* const h_row = h == nullptr ? nullptr : h + row * hidden;
    for_vectors(2 * hidden, [&](auto at, std::size_t i) HWY_ATTR {
      at.store(sigmoid_of(at.load(d, sums + hidden + i)), d, gates + hidden + i);
    });
    for_vectors(hidden, [&](auto at, std::size_t i) HWY_ATTR {
      const auto r = at.load(d, gates + hidden + i), z = at.load(d, gates + 2 * hidden + i);
      const auto m = at.load(d, sums + 3 * hidden + i);
      const auto n = tanh_of(hn::MulAdd(r, m, at.load(d, sums + i)));
      const auto past = h_row == nullptr ? hn::Zero(d) : at.load(d, h_row + i);
      at.store(n, d, gates + i);
      at.store(m, d, gates + 3 * hidden + i);
      at.store(hn::MulAdd(z, hn::Sub(past, n), n), d, next + i);
    });
    sums += sums_stride;
    gates += 4 * hidden;
    next += hidden;
  }
}

void gru_step_backward(std::size_t hidden, const float* gates, const float* h,
                       const float* diff_next, float* diff_h, float* diff_gates) {
  const F32 d;
  const auto one = hn::Set(d, 1.0F);
  for_vectors(hidden, [&](auto at, std::size_t i) HWY_ATTR {
    const auto n = at.load(d, gates + i), r = at.load(d, gates + hidden + i);
    const auto z = at.load(d, gates + 2 * hidden + i), m = at.load(d, gates + 3 * hidden + i);
    const auto past = h == nullptr ? hn::Zero(d) : at.load(d, h + i);
    const auto dh = hn::Add(at.load(d, diff_next + i), at.load(d, diff_h + i));
    const auto dh_z = hn::Mul(dh, z), dh_n = hn::Sub(dh, dh_z);  // dh z, dh (1 - z)
    const auto dn = hn::Mul(dh_n, hn::NegMulAdd(n, n, one));
    const auto dm = hn::Mul(dn, r);
    const auto dr = hn::Mul(hn::Mul(dm, m), hn::Sub(one, r));
    const auto dz = hn::Mul(hn::Mul(dh_n, z), hn::Sub(past, n));
    at.store(dn, d, diff_gates + i);
    at.store(dr, d, diff_gates + hidden + i);
    at.store(dz, d, diff_gates + 2 * hidden + i);
    at.store(dm, d, diff_gates + 3 * hidden + i);
    at.store(dh_z, d, diff_h + i);
  });
}

}  // namespace recloom::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace recloom::kernels {
namespace {
HWY_EXPORT(gru_step);
HWY_EXPORT(gru_step_backward);
}  // namespace

void gru_step(std::size_t rows, std::size_t hidden, const float* sums, std::size_t sums_stride,
              const float* h, float* gates, float* next) {
  RECLOOM_DISPATCH(gru_step)(rows, hidden, sums, sums_stride, h, gates, next);
}
void gru_step_backward(std::size_t hidden, const float* gates, const float* h,
                       const float* diff_next, float* diff_h, float* diff_gates) {
  RECLOOM_DISPATCH(gru_step_backward)(hidden, gates, h, diff_next, diff_h, diff_gates);
}

}  // namespace recloom::kernels
#endif
