#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "kernels/attention.hpp"
#include "nn/ops/attention.hpp"
#include "support/machine_peak.hpp"

namespace recloom::benchmarks {
namespace {

using namespace recloom::nn;  // NOLINT: a benchmark of one module

/// SASRec's attention (d 64, 2 heads, causal, L 50, dropout of the weights) over some rows: of all
/// positions, or of the last alone.
class AttentionRun {
 public:
  AttentionRun(std::size_t rows, bool last)
      : op_({.heads = 2, .causal = true, .dropout_prob = 0.5}),
        shapes_{{last ? 1 : kLength, kSize}, {kLength, kSize}, {kLength, kSize}},
        keys_(rows * kLength, 1),
        positions_(last ? rows : 0, kLength - 1),
        row_ids_(rows) {
    std::iota(row_ids_.begin(), row_ids_.end(), 0);
    for (const Shape& shape : shapes_) values_.emplace_back(rows * count(shape));
    for (std::vector<float>& values : values_)
      for (std::size_t e = 0; e < values.size(); ++e)
        values[e] = static_cast<float>(e * 2654435761U % 64) * 0.03125F - 1.0F;
    diffs_ = values_;
    output_ = output_diff_ = values_[0];
    saved_.assign(rows * op_.saved_size(shapes()), 0);
    inputs_.assign(values_.begin(), values_.end());
    input_diffs_.assign(diffs_.begin(), diffs_.end());
    ids_ = {keys_};
  }
  void run_forward() {
    OpForward c;
    common(c);
    c.output = output_;
    c.saved = saved_;
    op_.forward(c);
  }
  void run_backward() {
    OpBackward c;
    common(c);
    c.output = output_;
    c.diff_output = output_diff_;
    c.diff_inputs = input_diffs_;
    c.saved = saved_;
    op_.backward(c);
  }
  double flops() const { return static_cast<double>(row_ids_.size()) * op_.flops(shapes()); }

 private:
  static constexpr int kLength = 50, kSize = 64;

  OpShapes shapes() const { return {shapes_, id_shapes_}; }
  void common(OpContext& c) const {
    c.rows = row_ids_.size();
    c.inputs = inputs_;
    c.ids = ids_;
    c.shapes = shapes();
    c.output_shape = shapes_[0];
    c.positions = positions_;
    c.row_ids = row_ids_;
    c.key = 1;
    c.training = true;
  }

  AttentionOp op_;
  std::vector<Shape> shapes_, id_shapes_{{kLength}};
  std::vector<std::int32_t> keys_, positions_;
  std::vector<std::int64_t> row_ids_;
  std::vector<std::vector<float>> values_, diffs_;
  std::vector<float> output_, output_diff_, saved_;
  std::vector<std::span<const float>> inputs_;
  std::vector<std::span<float>> input_diffs_;
  std::vector<std::span<const std::int32_t>> ids_;
};

void attention_forward(::benchmark::State& state) {
  AttentionRun run(static_cast<std::size_t>(state.range(0)), state.range(1) != 0);
  const Work work(state);
  for (auto _ : state) run.run_forward();
  work.report_flops(run.flops());
}
BENCHMARK(attention_forward)
    ->ArgNames({"rows", "last"})
    ->Args({6, 0})
    ->Args({256, 0})
    ->Args({256, 1});

void attention_backward(::benchmark::State& state) {
  AttentionRun run(static_cast<std::size_t>(state.range(0)), state.range(1) != 0);
  run.run_forward();
  const Work work(state);
  for (auto _ : state) run.run_backward();
  work.report_flops(2 * run.flops());
}
BENCHMARK(attention_backward)
    ->ArgNames({"rows", "last"})
    ->Args({6, 0})
    ->Args({256, 0})
    ->Args({256, 1});

/// The scores of one query: two arrays read, one written.
void masked_softmax(::benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<float> scores(n, -0.5F), mask(n);
  std::vector<float> weights(n);
  const Work work(state);
  for (auto _ : state) {
    kernels::masked_softmax(n, 0.25F, mask.data(), scores.data(), weights.data());
    ::benchmark::ClobberMemory();
  }
  work.report_bytes(3.0 * sizeof(float) * static_cast<double>(n));
}
BENCHMARK(masked_softmax)->ArgName("n")->Arg(25)->Arg(50)->Arg(200);

}  // namespace
}  // namespace recloom::benchmarks
