#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/dispatch.hpp"
#include "kernels/vector.hpp"

// In Highway's order.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dropout.cpp"
#include "kernels/highway.hpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/simd-inl.hpp"
// clang-format on

// Philox4x32-10: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as
// easy as 1, 2, 3", SC 2011.

HWY_BEFORE_NAMESPACE();
namespace recloom::kernels::HWY_NAMESPACE {

constexpr std::uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
constexpr int kRounds = 10;

// The words of `blocks_per_call` counters (block, row low, row high, 0), block = first, first + 1,
// ..., each word of 32 bits in the low half of a 64-bit lane; what stands in the high half does not
// matter, since the multiplication reads the low one only.
#if HWY_TARGET == HWY_SCALAR

constexpr std::size_t blocks_per_call() { return 1; }

HWY_INLINE void philox(std::uint64_t key, std::uint64_t row, std::uint32_t first,
                       std::uint32_t* words) {
  std::uint32_t c0 = first, c1 = static_cast<std::uint32_t>(row);
  std::uint32_t c2 = static_cast<std::uint32_t>(row >> 32), c3 = 0;
  std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t p0 = std::uint64_t{kMultiplier0} * c0;
    const std::uint64_t p1 = std::uint64_t{kMultiplier1} * c2;
    c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<std::uint32_t>(p1);
    c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<std::uint32_t>(p0);
    k0 += kWeyl0;
    k1 += kWeyl1;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

#else

HWY_INLINE std::size_t blocks_per_call() { return hn::Lanes(hn::ScalableTag<std::uint64_t>()); }

HWY_INLINE void philox(std::uint64_t key, std::uint64_t row, std::uint32_t first,
                       std::uint32_t* words) {
  const hn::ScalableTag<std::uint64_t> d;
  const hn::Repartition<std::uint32_t, decltype(d)> d32;
  const auto set = [d](std::uint64_t value) HWY_ATTR { return hn::Set(d, value & 0xFFFFFFFF); };
  const auto product = [d32](auto a, auto b) HWY_ATTR {
    return hn::MulEven(hn::BitCast(d32, a), hn::BitCast(d32, b));
  };
  const auto m0 = hn::Set(d, kMultiplier0), m1 = hn::Set(d, kMultiplier1);
  auto c0 = hn::Iota(d, first), c1 = set(row), c2 = set(row >> 32), c3 = hn::Zero(d);
  std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < kRounds; ++round) {
    const auto p0 = product(c0, m0), p1 = product(c2, m1);
    c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), c1), set(k0));
    c1 = p1;
    c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), c3), set(k1));
    c3 = p0;
    k0 += kWeyl0;
    k1 += kWeyl1;
  }
  const auto low = hn::Set(d, 0xFFFFFFFF);
  const auto w01 = hn::Or(hn::And(c0, low), hn::ShiftLeft<32>(c1));
  const auto w23 = hn::Or(hn::And(c2, low), hn::ShiftLeft<32>(c3));
  hn::StoreInterleaved2(w01, w23, d, reinterpret_cast<std::uint64_t*>(words));
}

#endif

/// dst (+)= src * scale where the element's word >= threshold.
template <bool kAccumulate>
HWY_INLINE void apply_mask(std::size_t n, const std::uint32_t* words, std::uint32_t threshold,
                           float factor, const float* src, float* dst) {
  const F32 d;
  const hn::RebindToSigned<F32> di;
  // Signed comparison of numbers shifted by 2^31 is unsigned comparison.
  const auto flip = hn::Set(di, INT32_MIN);
  const auto limit = hn::Xor(hn::Set(di, static_cast<std::int32_t>(threshold)), flip);
  const auto multiplier = hn::Set(d, factor);
  const auto* signed_words = reinterpret_cast<const std::int32_t*>(words);
  for_vectors(n, [&](auto at, std::size_t i) HWY_ATTR {
    const auto word = hn::Xor(hn::LoadU(di, signed_words + i), flip);
    const auto drop = hn::RebindMask(d, hn::Gt(limit, word));
    auto value = hn::IfThenZeroElse(drop, hn::Mul(at.load(d, src + i), multiplier));
    if constexpr (kAccumulate) value = hn::Add(at.load(d, dst + i), value);
    at.store(value, d, dst + i);
  });
}

void dropout(std::uint64_t key, std::uint64_t row, std::uint32_t threshold, float factor,
             std::size_t first, std::size_t n, const float* src, float* dst, bool accumulate) {
  // Two vectors of counters at a time: their rounds overlap. The buffer is padded since a mask is
  // read in whole vectors.
  constexpr std::size_t kMaxWords = 2 * 4 * HWY_MAX_BYTES / sizeof(std::uint64_t);
  HWY_ALIGN std::uint32_t words[kMaxWords + HWY_MAX_BYTES / sizeof(std::uint32_t)] = {};
  const std::size_t blocks = blocks_per_call();
  const std::size_t step = 2 * 4 * blocks;
  auto block = static_cast<std::uint32_t>(first / 4);
  std::size_t skip = first % 4;  // words of the first block
  for (std::size_t i = 0; i < n; block += static_cast<std::uint32_t>(step / 4)) {
    philox(key, row, block, words);
    philox(key, row, block + static_cast<std::uint32_t>(blocks), words + 4 * blocks);
    const std::size_t count = std::min(step - skip, n - i);
    if (accumulate)
      apply_mask<true>(count, words + skip, threshold, factor, src + i, dst + i);
    else
      apply_mask<false>(count, words + skip, threshold, factor, src + i, dst + i);
    i += count;
    skip = 0;
  }
}

}  // namespace recloom::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace recloom::kernels {
namespace {
HWY_EXPORT(dropout);
}

void dropout(std::uint64_t key, std::uint64_t row, double p, std::size_t n, const float* src,
             float* dst, bool accumulate, std::size_t first) {
  const double threshold = std::ceil(p * 0x1p32);
  if (threshold >= 0x1p32) {
    if (!accumulate) std::fill_n(dst, n, 0.0F);
    return;
  }
  RECLOOM_DISPATCH(dropout)
  (key, row, static_cast<std::uint32_t>(threshold), static_cast<float>(1.0 / (1.0 - p)), first, n,
   src, dst, accumulate);
}

}  // namespace recloom::kernels
#endif
