// e^x for the kernels, per level: included again for every instruction set.
#if defined(RECLOOM_KERNELS_EXP_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef RECLOOM_KERNELS_EXP_INL
#undef RECLOOM_KERNELS_EXP_INL
#else
#define RECLOOM_KERNELS_EXP_INL
#endif

#include "kernels/simd-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace recloom::kernels::HWY_NAMESPACE {

/// e^x = power (1 + rest) for -87.34 <= x <= 0.
struct ExpParts {
  VecF32 power, rest;
};

/// 2^k, and the Taylor series of the rest r of x, |r| <= ln(2)/2, to r^7 and without its 1 (the
/// next term is below 6e-9; rounding decides the error, below 2e-7).
HWY_INLINE ExpParts exp_parts(VecF32 x) {
  const F32 d;
  const hn::RebindToUnsigned<F32> du;
  // Adding 1.5 * 2^23 + 127 rounds to an integer, whose last bits are then the exponent of 2^k.
  const auto magic = hn::Set(d, 12583039.0F);
  const auto shifted = hn::MulAdd(x, hn::Set(d, 1.44269504F), magic);
  const auto k = hn::Sub(shifted, magic);
  const auto power = hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(du, shifted)));
  // ln 2 in two parts, the first exact in 11 bits, so that k * part is exact.
  auto r = hn::NegMulAdd(k, hn::Set(d, 0.693359375F), x);
  r = hn::NegMulAdd(k, hn::Set(d, -2.12194440e-4F), r);
  auto sum = hn::Set(d, 1.0F / 5040);
  sum = hn::MulAdd(sum, r, hn::Set(d, 1.0F / 720));
  sum = hn::MulAdd(sum, r, hn::Set(d, 1.0F / 120));
  sum = hn::MulAdd(sum, r, hn::Set(d, 1.0F / 24));
  sum = hn::MulAdd(sum, r, hn::Set(d, 1.0F / 6));
  sum = hn::MulAdd(sum, r, hn::Set(d, 0.5F));
  sum = hn::MulAdd(sum, r, hn::Set(d, 1.0F));
  return {power, hn::Mul(sum, r)};
}

/// e^x for x <= 0; 0 where the result would be subnormal.
HWY_INLINE VecF32 exp_nonpositive(VecF32 x) {
  const F32 d;
  const auto lowest = hn::Set(d, -87.33654F);
  const auto underflow = hn::Lt(x, lowest);
  const auto parts = exp_parts(hn::IfThenElse(underflow, lowest, x));  // Max would lose NaN.
  return hn::IfThenZeroElse(underflow, hn::MulAdd(parts.rest, parts.power, parts.power));
}

/// e^x - 1 for x <= 0, without cancellation.
HWY_INLINE VecF32 expm1_nonpositive(VecF32 x) {
  const F32 d;
  const auto lowest = hn::Set(d, -87.33654F);
  const auto parts = exp_parts(hn::IfThenElse(hn::Lt(x, lowest), lowest, x));
  return hn::MulAdd(parts.power, parts.rest, hn::Sub(parts.power, hn::Set(d, 1.0F)));
}

/// 1 / (1 + e^-x), from e^-|x|, which cannot overflow: s = 1 / (1 + e^-|x|) for x >= 0,
/// e^-|x| s below.
HWY_INLINE VecF32 sigmoid_of(VecF32 x) {
  const F32 d;
  const auto one = hn::Set(d, 1.0F);
  const auto e = exp_nonpositive(hn::Neg(hn::Abs(x)));
  return hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one), hn::Add(one, e));
}

/// tanh x = -e / (2 + e) with e = e^-2|x| - 1, and the sign of x.
HWY_INLINE VecF32 tanh_of(VecF32 x) {
  const F32 d;
  const auto e = expm1_nonpositive(hn::Mul(hn::Set(d, -2.0F), hn::Abs(x)));
  return hn::CopySignToAbs(hn::Div(hn::Neg(e), hn::Add(hn::Set(d, 2.0F), e)), x);
}

}  // namespace recloom::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
