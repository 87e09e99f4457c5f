#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/rank.hpp"
#include "scoring/top_items.hpp"
#include "support/machine_peak.hpp"

namespace recloom::benchmarks {
namespace {

/// Scores in an order that has no order, all different.
std::vector<float> scores_of(std::size_t n) {
  std::vector<float> scores(n);
  for (std::size_t index = 0; index < n; ++index)
    scores[index] = static_cast<float>(index * 2654435761U % 16777216U) * 0x1p-24F;
  return scores;
}

void count_scores(::benchmark::State& state) {
  const std::vector<float> scores = scores_of(static_cast<std::size_t>(state.range(0)));
  const Work work(state);
  for (auto _ : state)
    ::benchmark::DoNotOptimize(kernels::count_scores(scores.size(), scores.data(), 0.9F));
  work.report_bytes(static_cast<double>(sizeof(float) * scores.size()));
}
BENCHMARK(count_scores)->ArgName("n")->Arg(512)->Arg(1 << 20);

// A threshold that next to nothing passes: what a scan for the best does most of the time.
void collect_above(::benchmark::State& state) {
  const std::vector<float> scores = scores_of(static_cast<std::size_t>(state.range(0)));
  std::vector<float> kept(1024);
  std::vector<std::int32_t> indices(kept.size());
  const Work work(state);
  for (auto _ : state)
    ::benchmark::DoNotOptimize(kernels::collect_above(scores.size(), scores.data(), 0.9999F, 0,
                                                      kept.size(), kept.data(), indices.data()));
  work.report_bytes(static_cast<double>(sizeof(float) * scores.size()));
}
BENCHMARK(collect_above)->ArgName("n")->Arg(512)->Arg(1 << 20);

void group_maxima(::benchmark::State& state) {
  const std::vector<float> scores = scores_of(static_cast<std::size_t>(state.range(0)));
  std::vector<float> maxima(scores.size() / kernels::kMaximaGroup);
  const Work work(state);
  for (auto _ : state) {
    kernels::group_maxima(scores.size(), scores.data(), maxima.data());
    ::benchmark::ClobberMemory();
  }
  work.report_bytes(static_cast<double>(sizeof(float) * scores.size()));
}
BENCHMARK(group_maxima)->ArgName("n")->Arg(512)->Arg(1 << 20);

// The ten best of a row that passes by in tiles of 512.
void top_items(::benchmark::State& state) {
  constexpr std::size_t kTile = 512;
  const std::vector<float> scores = scores_of(static_cast<std::size_t>(state.range(0)));
  TopItems top(10, 1);
  const Work work(state);
  for (auto _ : state) {
    top.start(1);
    for (std::size_t first = 0; first < scores.size(); first += kTile)
      (void)top.offer(0, {scores.data() + first, std::min(kTile, scores.size() - first)},
                      static_cast<ItemId>(first));
    ::benchmark::DoNotOptimize(top.best(0).data());
  }
  work.report_bytes(static_cast<double>(sizeof(float) * scores.size()));
}
BENCHMARK(top_items)->ArgName("n")->Arg(3417)->Arg(1 << 20);

}  // namespace
}  // namespace recloom::benchmarks
