// conv_max_over_time in each of its ways: training steps of a network that has nothing else. One
// thread.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "nn/step/train_step.hpp"
#include "recloom/nn/network_recommender.hpp"
#include "support/machine_peak.hpp"

namespace recloom::benchmarks {
namespace {

constexpr int kSize = 64;

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

/// Arguments: way, L, nh, rows, items.
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
  step.compute_gradients(data.batch(), {}, run);
  const Work work(state);
  for (auto _ : state) step.compute_gradients(data.batch(), {}, run);
  // Of all windows, forward; what a way saves shows as a share above that of its arithmetic.
  double flops = 0;
  for (int h = 1; h <= length; ++h) flops += 2.0 * filters * h * kSize * (length - h + 1);
  work.report_flops(flops * rows);
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
BENCHMARK(conv_max_over_time_step)->Apply(ways);

}  // namespace
}  // namespace recloom::benchmarks
