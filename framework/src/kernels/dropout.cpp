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

/// Gives the words of counters (block, row low, row high, 0), block = first, first + 1, ...,
/// blocks_per_call() of them.
#if HWY_TARGET == HWY_SCALAR

class Philox {
 public:
  static constexpr std::size_t blocks_per_call() { return 1; }

  Philox(std::uint64_t key, std::uint64_t row) : key_(key), row_(row) {}

  void operator()(std::uint32_t first, std::uint32_t* words) const {
    std::uint32_t c0 = first, c1 = static_cast<std::uint32_t>(row_);
    std::uint32_t c2 = static_cast<std::uint32_t>(row_ >> 32), c3 = 0;
    std::uint32_t k0 = static_cast<std::uint32_t>(key_);
    std::uint32_t k1 = static_cast<std::uint32_t>(key_ >> 32);
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

 private:
  std::uint64_t key_, row_;
};

#else

/// Each word of 32 bits is in the low half of a 64-bit lane; what stands in the high half does not
/// matter, since the multiplication reads the low one only.
class Philox {
  using D = hn::ScalableTag<std::uint64_t>;
  using V = hn::Vec<D>;
  /// Vectors at a time: their rounds overlap, and their state stays in registers.
  static constexpr std::size_t kVectors = 2;

 public:
  HWY_INLINE static std::size_t blocks_per_call() { return kVectors * hn::Lanes(D()); }

  HWY_INLINE Philox(std::uint64_t key, std::uint64_t row) {
    const D d;
    auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < kRounds; ++round, k0 += kWeyl0, k1 += kWeyl1) {
      hn::Store(hn::Set(d, k0), d, keys_ + 2 * round * kLanes);
      hn::Store(hn::Set(d, k1), d, keys_ + (2 * round + 1) * kLanes);
    }
    hn::Store(hn::Set(d, row & 0xFFFFFFFF), d, row_);
    hn::Store(hn::Set(d, row >> 32), d, row_ + kLanes);
    hn::Store(hn::Iota(d, 0), d, places_);
  }

  HWY_INLINE void operator()(std::uint32_t first, std::uint32_t* words) const {
    const D d;
    const std::size_t lanes = hn::Lanes(d);
    const auto m0 = hn::Set(d, kMultiplier0), m1 = hn::Set(d, kMultiplier1);
    V c0[kVectors], c1[kVectors], c2[kVectors], c3[kVectors];
#pragma GCC unroll 2
    for (std::size_t v = 0; v < kVectors; ++v) {
      c0[v] = hn::Add(hn::Load(d, places_), hn::Set(d, first + v * lanes));
      c1[v] = hn::Load(d, row_);
      c2[v] = hn::Load(d, row_ + kLanes);
      c3[v] = hn::Zero(d);
    }
#pragma GCC unroll 10
    for (int round = 0; round < kRounds; ++round) {
      const auto k0 = hn::Load(d, keys_ + 2 * round * kLanes);
      const auto k1 = hn::Load(d, keys_ + (2 * round + 1) * kLanes);
#pragma GCC unroll 2
      for (std::size_t v = 0; v < kVectors; ++v) {
        const auto p0 = product(c0[v], m0), p1 = product(c2[v], m1);
        c0[v] = hn::Xor(hn::ShiftRight<32>(p1), hn::Xor(c1[v], k0));
        c1[v] = p1;
        c2[v] = hn::Xor(hn::ShiftRight<32>(p0), hn::Xor(c3[v], k1));
        c3[v] = p0;
      }
    }
    const auto low = hn::Set(d, 0xFFFFFFFF);
#pragma GCC unroll 2
    for (std::size_t v = 0; v < kVectors; ++v) {
      const auto w01 = hn::Or(hn::And(c0[v], low), hn::ShiftLeft<32>(c1[v]));
      const auto w23 = hn::Or(hn::And(c2[v], low), hn::ShiftLeft<32>(c3[v]));
      hn::StoreInterleaved2(w01, w23, d, reinterpret_cast<std::uint64_t*>(words + 4 * v * lanes));
    }
  }

 private:
  HWY_INLINE static V product(V a, V b) {
    const hn::Repartition<std::uint32_t, D> d;
    return hn::MulEven(hn::BitCast(d, a), hn::BitCast(d, b));
  }

  static constexpr std::size_t kLanes = hn::MaxLanes(D());
  HWY_ALIGN std::uint64_t keys_[2 * kRounds * kLanes], row_[2 * kLanes], places_[kLanes];
};

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
  const Philox philox(key, row);
  const std::size_t blocks = Philox::blocks_per_call(), step = 4 * blocks;
  // The buffer is padded since a mask is read in whole vectors.
  constexpr std::size_t kMaxWords = 2 * 4 * HWY_MAX_BYTES / sizeof(std::uint64_t);
  HWY_ALIGN std::uint32_t words[kMaxWords + HWY_MAX_BYTES / sizeof(std::uint32_t)] = {};
  auto block = static_cast<std::uint32_t>(first / 4);
  std::size_t skip = first % 4;  // words of the first block
  for (std::size_t i = 0; i < n; block += static_cast<std::uint32_t>(blocks)) {
    philox(block, words);
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
