#include "kernels/rank.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/dispatch.hpp"
#include "kernels/highway.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rank.cpp"
#include <hwy/foreach_target.h>
// Highway after the list of targets.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace recloom::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Ints = hn::ScalableTag<std::int32_t>;

/// Counts of true lanes, per lane: a compare gives -1 where it holds, so counting is a subtraction.
template <class Mask>
hn::Vec<Ints> counted(hn::Vec<Ints> count, Mask mask) {
  return hn::Sub(count, hn::VecFromMask(Ints(), hn::RebindMask(Ints(), mask)));
}

std::int64_t total(hn::Vec<Ints> count) { return hn::GetLane(hn::SumOfLanes(Ints(), count)); }

void count_one(float score, float reference, ScoreCounts& counts) {
  counts.above += score > reference;
  counts.equal += score == reference;
  counts.candidates += score > -HUGE_VALF;
  counts.nan |= score != score;
}

ScoreCounts CountScores(std::size_t n, const float* HWY_RESTRICT scores, float reference) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  const auto wanted = hn::Set(d, reference);
  const auto lowest = hn::Set(d, -HUGE_VALF);
  auto above = hn::Zero(Ints()), equal = above, candidates = above, numbers = above;
  std::size_t index = 0;
  for (; index + lanes <= n; index += lanes) {
    const auto score = hn::LoadU(d, scores + index);
    above = counted(above, hn::Gt(score, wanted));
    equal = counted(equal, hn::Eq(score, wanted));
    candidates = counted(candidates, hn::Gt(score, lowest));
    numbers = counted(numbers, hn::Eq(score, score));
  }
  ScoreCounts counts{total(above), total(equal), total(candidates),
                     total(numbers) != static_cast<std::int64_t>(index)};
  for (; index < n; ++index) count_one(scores[index], reference, counts);
  return counts;
}

Collected CollectAbove(std::size_t n, const float* HWY_RESTRICT scores, float threshold,
                       std::int32_t first, std::size_t capacity, float* HWY_RESTRICT kept_scores,
                       std::int32_t* HWY_RESTRICT kept_indices) {
  const Floats d;
  const Ints di;
  const std::size_t lanes = hn::Lanes(d);
  const auto limit = hn::Set(d, threshold);
  Collected result;
  std::size_t& at = result.scanned;
  for (; at + lanes <= n; at += lanes) {
    const auto score = hn::LoadU(d, scores + at);
    const auto keep = hn::Not(hn::Le(score, limit));
    if (HWY_LIKELY(hn::AllFalse(d, keep))) continue;
    // A compressing store may write a whole vector.
    if (result.kept + lanes > capacity) return result;
    const auto index = hn::Iota(di, first + static_cast<std::int32_t>(at));
    hn::CompressStore(index, hn::RebindMask(di, keep), di, kept_indices + result.kept);
    result.kept += hn::CompressStore(score, keep, d, kept_scores + result.kept);
  }
  for (; at < n; ++at) {
    if (scores[at] <= threshold) continue;
    if (result.kept == capacity) return result;
    kept_scores[result.kept] = scores[at];
    kept_indices[result.kept++] = first + static_cast<std::int32_t>(at);
  }
  return result;
}

void GroupMaxima(std::size_t n, const float* HWY_RESTRICT scores, float* HWY_RESTRICT maxima) {
  const hn::CappedTag<float, kMaximaGroup> d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t group = 0; group < n / kMaximaGroup; ++group) {
    const float* first = scores + group * kMaximaGroup;
    auto largest = hn::LoadU(d, first);
    for (std::size_t at = lanes; at < kMaximaGroup; at += lanes)
      largest = hn::Max(largest, hn::LoadU(d, first + at));
    maxima[group] = hn::GetLane(hn::MaxOfLanes(d, largest));
  }
}

/// Replace each score by value(score, position); the tail goes through the same vector arithmetic,
/// so that equal operands give equal bits wherever they stand.
template <class Value>
void transform(std::size_t n, float* HWY_RESTRICT scores, const Value& value) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t index = 0;
  for (; index + lanes <= n; index += lanes)
    hn::StoreU(value(hn::LoadU(d, scores + index),
                     [&](const float* x) { return hn::LoadU(d, x + index); }),
               d, scores + index);
  if (index == n) return;
  HWY_ALIGN float tail[HWY_MAX_BYTES / sizeof(float)] = {};
  std::copy(scores + index, scores + n, tail);
  const auto result = value(hn::Load(d, tail), [&](const float* x) {
    HWY_ALIGN float operand[HWY_MAX_BYTES / sizeof(float)] = {};
    std::copy(x + index, x + n, operand);
    return hn::Load(d, operand);
  });
  hn::Store(result, d, tail);
  std::copy(tail, tail + (n - index), scores + index);
}

void FinishDot(std::size_t n, float scale, const float* HWY_RESTRICT bias,
               float* HWY_RESTRICT scores) {
  const auto factor = hn::Set(Floats(), scale);
  if (bias == nullptr) {
    transform(n, scores, [&](auto dot, auto) { return hn::Mul(dot, factor); });
  } else {
    transform(n, scores, [&](auto dot, auto load) { return hn::MulAdd(dot, factor, load(bias)); });
  }
}

void FinishCosine(std::size_t n, float scale, const float* HWY_RESTRICT inverse_norms,
                  const float* HWY_RESTRICT bias, float* HWY_RESTRICT scores) {
  const auto factor = hn::Set(Floats(), scale);
  const auto zero = hn::Zero(Floats());
  transform(n, scores, [&](auto dot, auto load) {
    const auto cosine = hn::Mul(dot, load(inverse_norms));
    return hn::MulAdd(cosine, factor, bias == nullptr ? zero : load(bias));
  });
}

void FinishNegativeEuclidean(std::size_t n, float scale, float query_norm,
                             const float* HWY_RESTRICT norms, const float* HWY_RESTRICT bias,
                             float* HWY_RESTRICT scores) {
  const auto factor = hn::Set(Floats(), -scale);
  const auto query = hn::Set(Floats(), query_norm);
  const auto two = hn::Set(Floats(), 2.0F);
  const auto zero = hn::Zero(Floats());
  transform(n, scores, [&](auto dot, auto load) {
    const auto squared = hn::NegMulAdd(two, dot, hn::Add(query, load(norms)));
    // The comparison lets a NaN through; a maximum may not.
    const auto distance = hn::Sqrt(hn::IfThenElse(hn::Lt(squared, zero), zero, squared));
    return hn::MulAdd(distance, factor, bias == nullptr ? zero : load(bias));
  });
}

}  // namespace recloom::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace recloom::kernels {

HWY_EXPORT(CountScores);
HWY_EXPORT(CollectAbove);
HWY_EXPORT(GroupMaxima);
HWY_EXPORT(FinishDot);
HWY_EXPORT(FinishCosine);
HWY_EXPORT(FinishNegativeEuclidean);

ScoreCounts count_scores(std::size_t n, const float* scores, float reference) {
  return RECLOOM_DISPATCH(CountScores)(n, scores, reference);
}

Collected collect_above(std::size_t n, const float* scores, float threshold, std::int32_t first,
                        std::size_t capacity, float* kept_scores, std::int32_t* kept_indices) {
  return RECLOOM_DISPATCH(CollectAbove)(n, scores, threshold, first, capacity, kept_scores,
                                        kept_indices);
}

void group_maxima(std::size_t n, const float* scores, float* maxima) {
  RECLOOM_DISPATCH(GroupMaxima)(n, scores, maxima);
}

void finish_dot(std::size_t n, float scale, const float* bias, float* scores) {
  RECLOOM_DISPATCH(FinishDot)(n, scale, bias, scores);
}

void finish_cosine(std::size_t n, float scale, const float* inverse_norms, const float* bias,
                   float* scores) {
  RECLOOM_DISPATCH(FinishCosine)(n, scale, inverse_norms, bias, scores);
}

void finish_negative_euclidean(std::size_t n, float scale, float query_norm, const float* norms,
                               const float* bias, float* scores) {
  RECLOOM_DISPATCH(FinishNegativeEuclidean)(n, scale, query_norm, norms, bias, scores);
}

}  // namespace recloom::kernels
#endif  // HWY_ONCE
