// conv_max_over_time in each of its ways: its share of training steps, forward and backward, on one
// thread. What looks item vectors up for it counts, what sums their gradients does not.
#include <benchmark/benchmark.h>
#include <time.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/conv.hpp"
#include "kernels/gemm.hpp"
#include "nn/exec/step_trace.hpp"
#include "nn/step/train_step.hpp"
#include "recloom/nn/network_recommender.hpp"
#include "support/machine_peak.hpp"

namespace recloom::benchmarks {
namespace {

constexpr int kSize = 64;

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Caser's horizontal branch alone: filters of all heights over looked-up histories.
class Convolutions final : public NetworkRecommender {
 public:
  Convolutions(const Catalogue& catalogue, int filters) : NetworkRecommender(catalogue) {
    items_ = nn::Embedding(at("items"), catalogue.n_items, kSize, nn::normal(0.1));
    for (int h = 1; h <= catalogue.max_length; ++h)
      convs_.emplace_back(at("conv", h), kSize, filters, h);
    out_ = nn::Linear(at("out"), filters * catalogue.max_length, kSize);
    parameters().initialise(1);
  }
  nn::Var forward(const nn::Inputs& in) const override { return out_(maxima(in)); }
  nn::ItemHead item_head() const override { return {.tables = {items_.weight}}; }
  nn::Loss calculate_loss(const nn::Inputs& in) const override { return mean(sum(maxima(in))); }

 private:
  nn::Var maxima(const nn::Inputs& in) const {
    return conv_max_over_time(convs_, items_(in.history().ids()), nn::Activation::relu);
  }
  nn::Embedding items_;
  nn::Linear out_;
  std::vector<nn::TimeConv> convs_;
};

/// Rows that share nothing but items, few of which are frequent.
struct Rows {
  std::vector<ItemId> events;
  std::vector<Batch::Entry> entries;
  int length;
  Rows(int n, int n_items, int l) : length(l) {
    std::uint64_t random = 1;
    for (int row = 0; row < n; ++row) {
      entries.push_back({static_cast<std::int64_t>(events.size()), length, 1, 1});
      for (int i = 0; i <= length; ++i) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        const double u = static_cast<double>(random >> 11) * 0x1p-53;
        events.push_back(1 + static_cast<ItemId>(u * u * (n_items - 1)));
      }
    }
  }
  Batch batch() const { return {events, entries, length}; }
};

/// Adds up the processor time of what belongs to the convolution.
class Clock final : public nn::StepTrace {
 public:
  Clock() { nn::set_step_trace(this); }
  ~Clock() override { nn::set_step_trace(nullptr); }
  void turn_to(const nn::TraceStep& step) override {
    const double now = thread_seconds();
    if (counts_) sum_ += now - since_;
    const bool looks_up = step.what == "items.weight" && step.phase == "forward";
    counts_ = step.what.starts_with("conv.") || looks_up || step.phase == "items of the batch";
    since_ = now;
  }
  /// Return the sum since the last call.
  double take() { return std::exchange(sum_, 0); }

 private:
  bool counts_ = false;
  double sum_ = 0, since_ = 0;
};

/// Arguments: way, L, nh, rows, items. The time is that of one row.
void conv_max_over_time_step(::benchmark::State& state) {
  const auto way = static_cast<nn::Convolution>(state.range(0));
  const int length = static_cast<int>(state.range(1)), filters = static_cast<int>(state.range(2)),
            rows = static_cast<int>(state.range(3)), items = static_cast<int>(state.range(4));
  Convolutions network({2, items, length}, filters);
  network.set_convolution(way);
  nn::StepOptions options;
  options.batch_size = rows;
  nn::TrainStep step(network, options);
  const Rows data(rows, items, length);
  RunContext run(1, 1);
  step.run(data.batch(), {}, 1e-6, run);
  Clock clock;
  double sum = 0;
  for (auto _ : state) {
    step.run(data.batch(), {}, 1e-6, run);
    const double seconds = clock.take();
    state.SetIterationTime(seconds / rows);
    sum += seconds;
  }
  // Of the multiply-adds of all windows, forward alone.
  double flops = 0;
  for (int h = 1; h <= length; ++h) flops += 2.0 * filters * h * kSize * (length - h + 1);
  const double rate = flops * rows * static_cast<double>(state.iterations()) / sum;
  state.counters["FLOP/s"] = rate;
  state.counters["share"] = rate / peak_flops();
}

void ways(::benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"way", "L", "nh", "rows", "items"});
  for (const int length : {3, 5, 10, 20, 50})
    for (const int filters : {4, 8, 16})
      for (const int rows : {512, 2048})
        for (const int items : {3417, 50000})
          for (const auto way : {nn::Convolution::automatic, nn::Convolution::dnnl,
                                 nn::Convolution::windows, nn::Convolution::taps})
            benchmark->Args({static_cast<int>(way), length, filters, rows, items});
}
BENCHMARK(conv_max_over_time_step)->Apply(ways)->UseManualTime()->Iterations(3);

/// All windows of 256 rows, filters of all heights, forward: by primitives and by products.
/// Arguments: L, nh.
struct Windows {
  static constexpr int kRows = 256;
  int length, filters;
  std::vector<float> src, weights, dst;
  explicit Windows(const ::benchmark::State& state)
      : length(static_cast<int>(state.range(0))),
        filters(static_cast<int>(state.range(1))),
        src(static_cast<std::size_t>(kRows * length * kSize), 0.5F),
        weights(static_cast<std::size_t>(filters * length * kSize), 0.25F),
        dst(static_cast<std::size_t>(kRows * filters)) {}
  double flops() const {
    double all = 0;
    for (int h = 1; h <= length; ++h) all += 2.0 * filters * h * kSize * (length - h + 1);
    return kRows * all;
  }
};

void windows_by_primitives(::benchmark::State& state) {
  Windows w(state);
  std::vector<kernels::ConvFilters> heights;
  for (int h = 1; h <= w.length; ++h) {
    heights.emplace_back(kernels::Conv1d{w.length, kSize, w.filters, h}, false);
    heights.back().assign(w.weights.data());
  }
  const auto run = [&] {
    for (const kernels::ConvFilters& height : heights)
      for (int t = 0; t < height.shape().positions(); ++t)
        height.windows(Windows::kRows, t, w.src.data(), w.dst.data());
  };
  run();
  const Work work(state);
  for (auto _ : state) run();
  work.report_flops(w.flops());
}

void windows_by_products(::benchmark::State& state) {
  Windows w(state);
  const auto run = [&] {
    for (int h = 1; h <= w.length; ++h)
      for (int t = 0; t <= w.length - h; ++t)
        kernels::gemm({.transpose_b = true,
                       .m = Windows::kRows,
                       .n = w.filters,
                       .k = h * kSize,
                       .a = w.src.data() + t * kSize,
                       .lda = w.length * kSize,
                       .b = w.weights.data(),
                       .ldb = h * kSize,
                       .c = w.dst.data(),
                       .ldc = w.filters});
  };
  run();
  const Work work(state);
  for (auto _ : state) run();
  work.report_flops(w.flops());
}

void lengths(::benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"L", "nh"})->ArgsProduct({{3, 5, 10, 20, 50}, {4, 8, 16}});
}
BENCHMARK(windows_by_primitives)->Apply(lengths);
BENCHMARK(windows_by_products)->Apply(lengths);

}  // namespace
}  // namespace recloom::benchmarks
