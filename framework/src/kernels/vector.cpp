#include "kernels/vector.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/dispatch.hpp"
#include "kernels/isa.hpp"

// In Highway's order.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/vector.cpp"
#include "kernels/highway.hpp"
#include <hwy/foreach_target.h>
#include <hwy/cache_control.h>
#include <hwy/highway.h>
#include "kernels/simd-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace recloom::kernels::HWY_NAMESPACE {

void add(std::size_t n, const float* x, float* y) {
  update(n, x, y, [](auto a, auto b) HWY_ATTR { return hn::Add(b, a); });
}

void axpy(std::size_t n, float a, const float* x, float* y) {
  const auto factor = hn::Set(F32(), a);
  update(n, x, y, [factor](auto u, auto v) HWY_ATTR { return hn::MulAdd(factor, u, v); });
}

void scale(std::size_t n, float a, float* x) {
  const auto factor = hn::Set(F32(), a);
  map(n, x, x, [factor](auto v) HWY_ATTR { return hn::Mul(v, factor); });
}

void multiply(std::size_t n, const float* x, float* y) {
  update(n, x, y, [](auto a, auto b) HWY_ATTR { return hn::Mul(b, a); });
}

// Four sums at a time hide the latency of the additions.
float dot(std::size_t n, const float* x, const float* y) {
  const F32 d;
  const std::size_t lanes = hn::Lanes(d);
  VecF32 s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  std::size_t i = 0;
  const auto step = [&](VecF32 s, std::size_t at) HWY_ATTR {
    return hn::MulAdd(hn::LoadU(d, x + at), hn::LoadU(d, y + at), s);
  };
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    s0 = step(s0, i);
    s1 = step(s1, i + lanes);
    s2 = step(s2, i + 2 * lanes);
    s3 = step(s3, i + 3 * lanes);
  }
  for (; i + lanes <= n; i += lanes) s0 = step(s0, i);
  if (i < n) s1 = hn::MulAdd(load_tail(d, x + i, n - i), load_tail(d, y + i, n - i), s1);
  return sum_of_lanes(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)));
}

/// Sum of f(x[i]) in double; f maps vectors of doubles.
template <class F>
HWY_INLINE double double_sum(std::size_t n, const float* x, F&& f) {
  const hn::ScalableTag<double> wide;
  const hn::Rebind<float, decltype(wide)> narrow;
  const std::size_t lanes = hn::Lanes(wide);
  auto s0 = hn::Zero(wide), s1 = s0, s2 = s0, s3 = s0;
  const auto load = [&](std::size_t at)
                        HWY_ATTR { return hn::PromoteTo(wide, hn::LoadU(narrow, x + at)); };
  std::size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    s0 = f(load(i), s0);
    s1 = f(load(i + lanes), s1);
    s2 = f(load(i + 2 * lanes), s2);
    s3 = f(load(i + 3 * lanes), s3);
  }
  for (; i + lanes <= n; i += lanes) s0 = f(load(i), s0);
  if (i < n) s1 = f(hn::PromoteTo(wide, load_tail(narrow, x + i, n - i)), s1);
  return hn::GetLane(hn::SumOfLanes(wide, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
}

double squared_norm(std::size_t n, const float* x) {
  return double_sum(n, x, [](auto v, auto s) HWY_ATTR { return hn::MulAdd(v, v, s); });
}

double sum(std::size_t n, const float* x) {
  return double_sum(n, x, [](auto v, auto s) HWY_ATTR { return hn::Add(s, v); });
}

// Without their sign, the bits of floats are ordered as integers: finite, infinite, NaN.
bool all_finite(std::size_t n, const float* x) {
  const hn::ScalableTag<std::int32_t> d;
  const F32 df;
  const auto magnitude = hn::Set(d, 0x7FFFFFFF);
  const std::size_t lanes = hn::Lanes(d);
  auto m0 = hn::Zero(d), m1 = m0;
  const auto bits = [&](VecF32 v) HWY_ATTR { return hn::And(hn::BitCast(d, v), magnitude); };
  std::size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    m0 = hn::Max(m0, bits(hn::LoadU(df, x + i)));
    m1 = hn::Max(m1, bits(hn::LoadU(df, x + i + lanes)));
  }
  for (; i < n; i += lanes) {
    const bool whole = i + lanes <= n;
    m0 = hn::Max(m0, bits(whole ? hn::LoadU(df, x + i) : load_tail(df, x + i, n - i)));
  }
  return hn::GetLane(hn::MaxOfLanes(d, hn::Max(m0, m1))) < 0x7F800000;
}

// Not Max(x, 0), which turns NaN into 0.
void relu(std::size_t n, const float* x, float* y) {
  const auto zero = hn::Zero(F32());
  map(n, x, y, [zero](auto v) HWY_ATTR { return hn::IfThenZeroElse(hn::Le(v, zero), v); });
}

void relu_backward(std::size_t n, const float* y, const float* dy, float* dx) {
  const auto zero = hn::Zero(F32());
  update(n, y, dy, dx, [zero](auto out, auto gradient, auto sum) HWY_ATTR {
    return hn::Add(sum, hn::IfThenElseZero(hn::Gt(out, zero), gradient));
  });
}

void running_max(std::size_t n, const float* c, std::int32_t position, float* best,
                 std::int32_t* where) {
  const F32 d;
  const hn::RebindToSigned<F32> di;
  const auto here = hn::Set(di, position);
  for_vectors(n, [&](auto at, std::size_t i) HWY_ATTR {
    const auto value = at.load(d, c + i), old = at.load(d, best + i);
    const auto better = hn::Or(hn::Gt(value, old), hn::IsNaN(value));
    at.store(hn::IfThenElse(better, value, old), d, best + i);
    const auto mask = hn::RebindMask(di, better);
    at.store(hn::IfThenElse(mask, here, at.load(di, where + i)), di, where + i);
  });
}

// Rows of a large table come from memory in no order that the processor could foresee.
constexpr std::size_t kRowsAhead = 8;
HWY_INLINE void prefetch_row(std::size_t columns, const float* row) {
  constexpr std::size_t kLine = 16;
  for (std::size_t i = 0; i < columns; i += kLine) hwy::Prefetch(row + i);
}

/// out[r] = dot(x, rows[r]). One sum per row, whatever kRows is: the bits of a score must not
/// depend on what stands beside it.
template <std::size_t kRows>
HWY_INLINE void dot_group(std::size_t columns, const float* x, const float* const* rows,
                          float* out) {
  const F32 d;
  VecF32 sums[kRows];
  for (VecF32& sum : sums) sum = hn::Zero(d);
  for_vectors(columns, [&](auto at, std::size_t i) HWY_ATTR {
    const auto common = at.load(d, x + i);
    for (std::size_t r = 0; r < kRows; ++r)
      sums[r] = hn::MulAdd(common, at.load(d, rows[r] + i), sums[r]);
  });
  for (std::size_t r = 0; r < kRows; ++r) out[r] = sum_of_lanes(sums[r]);
}

void dot_rows(std::size_t count, std::size_t columns, const float* x, const float* table,
              const std::int32_t* ids, float* out) {
  constexpr std::size_t kGroup = 4;
  const auto row = [&](std::size_t i) {
    return table + static_cast<std::size_t>(ids[i]) * columns;
  };
  std::size_t i = 0;
  for (; i + kGroup <= count; i += kGroup) {
    for (std::size_t a = i + kRowsAhead; a < std::min(count, i + kRowsAhead + kGroup); ++a)
      prefetch_row(columns, row(a));
    const float* const rows[kGroup] = {row(i), row(i + 1), row(i + 2), row(i + 3)};
    dot_group<kGroup>(columns, x, rows, out + i);
  }
  for (; i < count; ++i) {
    const float* const last = row(i);
    dot_group<1>(columns, x, &last, out + i);
  }
}

/// y[first..] += the same columns of the rows, for kVectors vectors that stay in registers.
template <std::size_t kVectors>
HWY_INLINE void axpy_columns(std::size_t count, std::size_t columns, const float* factors,
                             const float* table, const std::int32_t* ids, std::size_t first,
                             float* y) {
  const F32 d;
  const std::size_t lanes = hn::Lanes(d);
  VecF32 sums[kVectors];
  for (std::size_t v = 0; v < kVectors; ++v) sums[v] = hn::LoadU(d, y + first + v * lanes);
  for (std::size_t i = 0; i < count; ++i) {
    if (i + kRowsAhead < count)
      for (std::size_t v = 0; v < kVectors; v += 2)
        hwy::Prefetch(table + static_cast<std::size_t>(ids[i + kRowsAhead]) * columns + first +
                      v * lanes);
    const float* row = table + static_cast<std::size_t>(ids[i]) * columns + first;
    const auto factor = hn::Set(d, factors[i]);
    for (std::size_t v = 0; v < kVectors; ++v)
      sums[v] = hn::MulAdd(factor, hn::LoadU(d, row + v * lanes), sums[v]);
  }
  for (std::size_t v = 0; v < kVectors; ++v) hn::StoreU(sums[v], d, y + first + v * lanes);
}

void axpy_rows(std::size_t count, std::size_t columns, const float* factors, const float* table,
               const std::int32_t* ids, float* y) {
  constexpr std::size_t kVectors = 8;
  const F32 d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t first = 0;
  for (; first + kVectors * lanes <= columns; first += kVectors * lanes)
    axpy_columns<kVectors>(count, columns, factors, table, ids, first, y);
  for (; first + lanes <= columns; first += lanes)
    axpy_columns<1>(count, columns, factors, table, ids, first, y);
  if (first == columns) return;
  const std::size_t left = columns - first;
  auto sum = load_tail(d, y + first, left);
  for (std::size_t i = 0; i < count; ++i) {
    const float* row = table + static_cast<std::size_t>(ids[i]) * columns + first;
    sum = hn::MulAdd(hn::Set(d, factors[i]), load_tail(d, row, left), sum);
  }
  store_tail(sum, d, y + first, left);
}

void column_sums(std::size_t rows, std::size_t columns, const float* x, float* y) {
  for (std::size_t row = 0; row < rows; ++row) add(columns, x + row * columns, y);
}

}  // namespace recloom::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace recloom::kernels {
namespace {

HWY_EXPORT(add);
HWY_EXPORT(axpy);
HWY_EXPORT(scale);
HWY_EXPORT(multiply);
HWY_EXPORT(dot);
HWY_EXPORT(squared_norm);
HWY_EXPORT(sum);
HWY_EXPORT(all_finite);
HWY_EXPORT(relu);
HWY_EXPORT(relu_backward);
HWY_EXPORT(running_max);
HWY_EXPORT(dot_rows);
HWY_EXPORT(axpy_rows);
HWY_EXPORT(column_sums);

}  // namespace

const char* isa_name() { return isa_name(isa()); }

void add(std::size_t n, const float* x, float* y) { RECLOOM_DISPATCH(add)(n, x, y); }
void axpy(std::size_t n, float a, const float* x, float* y) { RECLOOM_DISPATCH(axpy)(n, a, x, y); }
void scale(std::size_t n, float a, float* x) { RECLOOM_DISPATCH(scale)(n, a, x); }
void multiply(std::size_t n, const float* x, float* y) { RECLOOM_DISPATCH(multiply)(n, x, y); }
float dot(std::size_t n, const float* x, const float* y) { return RECLOOM_DISPATCH(dot)(n, x, y); }
double squared_norm(std::size_t n, const float* x) { return RECLOOM_DISPATCH(squared_norm)(n, x); }
double sum(std::size_t n, const float* x) { return RECLOOM_DISPATCH(sum)(n, x); }
bool all_finite(std::size_t n, const float* x) { return RECLOOM_DISPATCH(all_finite)(n, x); }
void relu(std::size_t n, const float* x, float* y) { RECLOOM_DISPATCH(relu)(n, x, y); }
void relu_backward(std::size_t n, const float* y, const float* dy, float* dx) {
  RECLOOM_DISPATCH(relu_backward)(n, y, dy, dx);
}

void running_max(std::size_t n, const float* c, std::int32_t position, float* best,
                 std::int32_t* where) {
  if (position == 0) {
    std::copy_n(c, n, best);
    std::fill_n(where, n, 0);
    return;
  }
  RECLOOM_DISPATCH(running_max)(n, c, position, best, where);
}

void gather_rows(std::size_t count, std::size_t columns, const float* table,
                 const std::int32_t* ids, float* out) {
  for (std::size_t i = 0; i < count; ++i)
    std::memcpy(out + i * columns, table + static_cast<std::size_t>(ids[i]) * columns,
                columns * sizeof(float));
}

void dot_rows(std::size_t count, std::size_t columns, const float* x, const float* table,
              const std::int32_t* ids, float* out) {
  RECLOOM_DISPATCH(dot_rows)(count, columns, x, table, ids, out);
}
void axpy_rows(std::size_t count, std::size_t columns, const float* factors, const float* table,
               const std::int32_t* ids, float* y) {
  RECLOOM_DISPATCH(axpy_rows)(count, columns, factors, table, ids, y);
}

void column_sums(std::size_t rows, std::size_t columns, const float* x, float* y) {
  RECLOOM_DISPATCH(column_sums)(rows, columns, x, y);
}

}  // namespace recloom::kernels
#endif
