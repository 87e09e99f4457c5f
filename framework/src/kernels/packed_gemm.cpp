#include "kernels/packed_gemm.hpp"

#include <algorithm>
#include <type_traits>

#include "kernels/dispatch.hpp"

// In Highway's order.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/packed_gemm.cpp"
#include "kernels/highway.hpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/simd-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace recloom::kernels::HWY_NAMESPACE {

// A tile of C stays in registers: 6 rows of two vectors are 12 sums, which hide the latency of a
// multiply-add, and leave room in 16 registers for what is multiplied.
constexpr std::size_t kRows = 6;

std::size_t panel_width() { return 2 * hn::Lanes(F32()); }

std::size_t packed_size(std::int64_t k, std::int64_t n) {
  const std::size_t width = panel_width();
  return (static_cast<std::size_t>(n) + width - 1) / width * width * static_cast<std::size_t>(k);
}

/// packed[p * width + j] = b[j * ldb + p]: columns of a panel from rows of B.
HWY_INLINE void transpose(std::size_t columns, std::size_t k, const float* HWY_RESTRICT b,
                          std::size_t ldb, std::size_t width, float* HWY_RESTRICT packed) {
  std::size_t j = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d;
  for (; j + 4 <= columns; j += 4) {
    const float *b0 = b + j * ldb, *b1 = b0 + ldb, *b2 = b1 + ldb, *b3 = b2 + ldb;
    std::size_t p = 0;
    for (; p + 4 <= k; p += 4) {
      const auto r0 = hn::LoadU(d, b0 + p), r1 = hn::LoadU(d, b1 + p), r2 = hn::LoadU(d, b2 + p),
                 r3 = hn::LoadU(d, b3 + p);
      const auto low02 = hn::InterleaveLower(d, r0, r2), low13 = hn::InterleaveLower(d, r1, r3);
      const auto high02 = hn::InterleaveUpper(d, r0, r2), high13 = hn::InterleaveUpper(d, r1, r3);
      float* const to = packed + p * width + j;
      hn::StoreU(hn::InterleaveLower(d, low02, low13), d, to);
      hn::StoreU(hn::InterleaveUpper(d, low02, low13), d, to + width);
      hn::StoreU(hn::InterleaveLower(d, high02, high13), d, to + 2 * width);
      hn::StoreU(hn::InterleaveUpper(d, high02, high13), d, to + 3 * width);
    }
    for (; p < k; ++p) {
      float* const to = packed + p * width + j;
      to[0] = b0[p], to[1] = b1[p], to[2] = b2[p], to[3] = b3[p];
    }
  }
#endif
  for (; j < columns; ++j)
    for (std::size_t p = 0; p < k; ++p) packed[p * width + j] = b[j * ldb + p];
}

/// Panels of two vectors' columns, each [k, width], the last one filled up with zeros.
void pack(const Unpacked& b, float* packed) {
  const std::size_t width = panel_width(), k = static_cast<std::size_t>(b.k),
                    n = static_cast<std::size_t>(b.n), ldb = static_cast<std::size_t>(b.ldb);
  for (std::size_t first = 0; first < n; first += width, packed += k * width) {
    const std::size_t columns = std::min(width, n - first);
    if (columns < width) std::fill_n(packed, k * width, 0.0F);
    if (b.transposed) {
      transpose(columns, k, b.b + first * ldb, ldb, width, packed);
    } else {
      for (std::size_t p = 0; p < k; ++p)
        std::copy_n(b.b + p * ldb + first, columns, packed + p * width);
    }
  }
}

/// Rows of C in one panel, at c: c = start + A B, start with `start_stride` floats between rows. A
/// is stored by columns if kTransposed.
template <std::size_t M, bool kTransposed>
HWY_INLINE void add_tile(std::size_t k, const float* HWY_RESTRICT a, std::size_t lda,
                         const float* HWY_RESTRICT b, const float* start, std::size_t start_stride,
                         float* c, std::size_t ldc) {
  const F32 d;
  const std::size_t lanes = hn::Lanes(d);
  VecF32 low[M], high[M];
#pragma GCC unroll 6
  for (std::size_t i = 0; i < M; ++i) {
    low[i] = hn::LoadU(d, start + i * start_stride);
    high[i] = hn::LoadU(d, start + i * start_stride + lanes);
  }
  for (std::size_t p = 0; p < k; ++p, b += 2 * lanes) {
    const auto b_low = hn::LoadU(d, b), b_high = hn::LoadU(d, b + lanes);
#pragma GCC unroll 6
    for (std::size_t i = 0; i < M; ++i) {
      const auto x = hn::Set(d, kTransposed ? a[p * lda + i] : a[i * lda + p]);
      low[i] = hn::MulAdd(x, b_low, low[i]);
      high[i] = hn::MulAdd(x, b_high, high[i]);
    }
  }
#pragma GCC unroll 6
  for (std::size_t i = 0; i < M; ++i) {
    hn::StoreU(low[i], d, c + i * ldc);
    hn::StoreU(high[i], d, c + i * ldc + lanes);
  }
}

/// Call body with how many rows to take at once, a constant, and the first of them.
template <std::size_t M = kRows, class Body>
HWY_INLINE void for_rows(std::size_t m, std::size_t first, const Body& body) {
  for (; first + M <= m; first += M) body(std::integral_constant<std::size_t, M>(), first);
  if constexpr (M > 1) for_rows<M - 1>(m, first, body);
}

template <bool kTransposed>
HWY_INLINE void gemm_of(const PackedGemm& g) {
  const std::size_t width = panel_width(), m = static_cast<std::size_t>(g.m),
                    n = static_cast<std::size_t>(g.n), k = static_cast<std::size_t>(g.k),
                    lda = static_cast<std::size_t>(g.lda), ldc = static_cast<std::size_t>(g.ldc);
  HWY_ALIGN float edge[kRows * 2 * hn::MaxLanes(F32())];
  const std::size_t packed_k = static_cast<std::size_t>(g.packed_k > 0 ? g.packed_k : g.k);
  const float* panel = g.packed + static_cast<std::size_t>(g.first_k) * width;
  for (std::size_t first = 0; first < n; first += width, panel += packed_k * width) {
    const std::size_t columns = std::min(width, n - first);
    for_rows(m, 0, [&](auto count, std::size_t row) HWY_ATTR {
      constexpr std::size_t kSome = decltype(count)::value;
      const float* const a = g.a + (kTransposed ? row : row * lda);
      float* const c = g.c + row * ldc + first;
      const float* const start = g.bias == nullptr ? c : g.bias + first;
      const std::size_t start_stride = g.bias == nullptr ? ldc : 0;
      if (columns == width)
        return add_tile<kSome, kTransposed>(k, a, lda, panel, start, start_stride, c, ldc);
      for (std::size_t i = 0; i < kSome; ++i) {
        std::fill_n(edge + i * width, width, 0.0F);
        std::copy_n(start + i * start_stride, columns, edge + i * width);
      }
      add_tile<kSome, kTransposed>(k, a, lda, panel, edge, width, edge, width);
      for (std::size_t i = 0; i < kSome; ++i) std::copy_n(edge + i * width, columns, c + i * ldc);
    });
  }
}

void gemm(const PackedGemm& g) { g.transpose_a ? gemm_of<true>(g) : gemm_of<false>(g); }

}  // namespace recloom::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace recloom::kernels {
namespace {
HWY_EXPORT(packed_size);
HWY_EXPORT(pack);
HWY_EXPORT(gemm);
}  // namespace

std::size_t packed_size(std::int64_t k, std::int64_t n) {
  return RECLOOM_DISPATCH(packed_size)(k, n);
}
void pack(const Unpacked& b, float* packed) { RECLOOM_DISPATCH(pack)(b, packed); }
void gemm(const PackedGemm& g) { RECLOOM_DISPATCH(gemm)(g); }

}  // namespace recloom::kernels
#endif
