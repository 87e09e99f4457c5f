#include <benchmark/benchmark.h>

#include <cstddef>
#include <vector>

#include "kernels/packed_gemm.hpp"
#include "nn/graph/graph.hpp"
#include "recloom/nn/network_recommender.hpp"
#include "support/machine_peak.hpp"

namespace recloom::benchmarks {
namespace {

using namespace recloom::nn;  // NOLINT: a benchmark of one module

/// A layer's op, its operands filled with small numbers.
class GruRun final : public NetworkRecommender {
 public:
  GruRun(int rows, int length, int in, int hidden)
      : NetworkRecommender({2, 2, length}),
        rows_(static_cast<std::size_t>(rows)),
        graph_({.catalogue = {2, 2, length}}),
        shapes_{{length, in}, {3 * hidden, in}, {3 * hidden, hidden}} {
    const Gru gru(at("gru"), in, hidden, {.bias = false});
    // An operand of the layer's shape; what it computes from is given below.
    const Var x = graph_.add("x", IdsSource{.shape = shapes_[0], .fill = {}}, {});
    op_ = graph_.node(gru(x).node()).op();
    for (const Shape& shape : shapes_)
      values_.emplace_back(static_cast<std::size_t>(shape.extent[0] * shape.extent[1]), 0.05F);
    values_[0].assign(values_[0].size() * rows_, 0.5F);
    const std::size_t n = rows_ * static_cast<std::size_t>(length * hidden);
    output_.assign(n, 0);
    diff_.assign(n, 0.01F);
    saved_.assign(rows_ * op_->saved_size({shapes_, {}}), 0);
    diffs_ = values_;
    inputs_.assign(values_.begin(), values_.end());
    input_diffs_.assign(diffs_.begin(), diffs_.end());
  }
  Var forward(const Inputs&) const override { return {}; }
  ItemHead item_head() const override { return {}; }
  void run_forward() {
    OpForward c;
    common(c);
    c.output = output_;
    c.saved = saved_;
    op_->forward(c);
  }
  void run_backward() {
    OpBackward c;
    common(c);
    c.output = output_;
    c.diff_output = diff_;
    c.diff_inputs = input_diffs_;
    c.saved = saved_;
    op_->backward(c);
  }
  double flops() const { return static_cast<double>(rows_) * op_->flops({shapes_, {}}); }

 private:
  void common(OpContext& c) const {
    c.rows = rows_;
    c.inputs = inputs_;
    c.shapes = {shapes_, {}};
    c.output_shape = op_->output_shape(c.shapes);
  }

  std::size_t rows_;
  Graph graph_;
  std::vector<Shape> shapes_;
  const Op* op_ = nullptr;
  std::vector<std::vector<float>> values_, diffs_;
  std::vector<float> output_, diff_, saved_;
  std::vector<std::span<const float>> inputs_;
  std::vector<std::span<float>> input_diffs_;
};

// GRU4Rec's layer (d 64, hidden 128, L 50) over a shard of rows, and over the few histories that a
// shard of "sequences" has.
void gru_forward(::benchmark::State& state) {
  GruRun run(static_cast<int>(state.range(0)), 50, 64, 128);
  const Work work(state);
  for (auto _ : state) run.run_forward();
  work.report_flops(run.flops());
}
BENCHMARK(gru_forward)->ArgName("rows")->Arg(6)->Arg(24)->Arg(256)->Arg(1024);

void gru_backward(::benchmark::State& state) {
  GruRun run(static_cast<int>(state.range(0)), 50, 64, 128);
  run.run_forward();
  const Work work(state);
  for (auto _ : state) run.run_backward();
  work.report_flops(2 * run.flops());
}
BENCHMARK(gru_backward)->ArgName("rows")->Arg(6)->Arg(24)->Arg(256)->Arg(1024);

/// Arguments m, n, k.
void packed_gemm(::benchmark::State& state) {
  const int m = static_cast<int>(state.range(0)), n = static_cast<int>(state.range(1)),
            k = static_cast<int>(state.range(2));
  const std::vector<float> a(static_cast<std::size_t>(m * k), 0.5F),
      b(static_cast<std::size_t>(k * n), 0.25F);
  std::vector<float> packed(kernels::packed_size(k, n)), c(static_cast<std::size_t>(m * n));
  kernels::pack({.k = k, .n = n, .b = b.data(), .ldb = n}, packed.data());
  const Work work(state);
  for (auto _ : state) {
    kernels::gemm({.m = m,
                   .n = n,
                   .k = k,
                   .a = a.data(),
                   .lda = k,
                   .packed = packed.data(),
                   .c = c.data(),
                   .ldc = n});
    ::benchmark::ClobberMemory();
  }
  work.report_flops(2.0 * m * n * k);
}
BENCHMARK(packed_gemm)
    ->ArgNames({"m", "n", "k"})
    ->Args({48, 384, 64})
    ->Args({48, 384, 128})
    ->Args({48, 128, 384})
    ->Args({6, 384, 128})
    ->Args({1, 384, 128});

}  // namespace
}  // namespace recloom::benchmarks
