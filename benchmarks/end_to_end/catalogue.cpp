// What large catalogues cost, on random vectors: ranking by top-k, and the softmax over all items.
#include <algorithm>
#include <cstring>
#include <vector>

#include "core/aligned.hpp"
#include "end_to_end/commands.hpp"
#include "nn/graph/parameter_data.hpp"
#include "nn/step/softmax_head_run.hpp"
#include "recloom/eval/recommend.hpp"
#include "recloom/recloom.hpp"
#include "support/machine_peak.hpp"
#include "support/memory.hpp"

namespace recloom::benchmarks {
namespace {

/// Fill with numbers from [-1, 1), the same for any number of threads.
void fill_random(std::span<float> values, std::string_view purpose, const RunContext& run) {
  constexpr std::size_t kChunk = 1 << 16;
  const Rng rng = run.rng(purpose);
  run.parallel_for((values.size() + kChunk - 1) / kChunk, [&](std::size_t chunk) {
    Rng own = rng.fork("chunk", chunk);
    const std::size_t end = std::min(values.size(), (chunk + 1) * kChunk);
    for (std::size_t index = chunk * kChunk; index < end; ++index)
      values[index] = static_cast<float>(2 * own.uniform() - 1);
  });
}

/// Vectors of rows and items that are simply there.
class VectorModel final : public SequentialRecommender, public Factorised {
 public:
  VectorModel(int n_items, int size, std::size_t n_rows, const RunContext& run)
      : SequentialRecommender({.n_users = 1, .n_items = n_items, .max_length = 1}),
        size_(static_cast<std::size_t>(size)),
        items_(static_cast<std::size_t>(n_items) * size_),
        queries_(n_rows * size_) {
    fill_random(items_, "items", run);
    fill_random(queries_, "queries", run);
  }
  Traits traits() const override { return {}; }
  void full_sort_predict(const Batch&, Span2d<float>) const override {}
  const Factorised* factorised() const noexcept override { return this; }
  int query_size() const noexcept override { return static_cast<int>(size_); }
  void encode(const Batch& rows, Span2d<float> queries) const override {
    for (std::size_t row = 0; row < rows.size(); ++row)
      std::copy_n(queries_.data() + static_cast<std::size_t>(rows.entries()[row].begin) * size_,
                  size_, queries[row].data());
  }
  ItemHeadView item_head_view() const override {
    ItemHeadView view;
    view.tables[0] = {items_.data(), static_cast<std::int64_t>(size_)};
    view.n_tables = 1;
    return view;
  }

 private:
  std::size_t size_;
  AlignedFloats items_, queries_;
};

}  // namespace

Json top_k(const Arguments& arguments) {
  const RunContext run(1, static_cast<int>(arguments.number("threads", 0)));
  const auto n_items = static_cast<int>(arguments.number("items", 1'000'000)),
             size = static_cast<int>(arguments.number("size", 64));
  const auto n_rows = static_cast<std::size_t>(arguments.number("rows", 2048));
  const VectorModel model(n_items, size, n_rows, run);
  std::vector<Batch::Entry> entries;
  for (std::size_t row = 0; row < n_rows; ++row)
    entries.push_back({static_cast<std::int64_t>(row), 1, 0, 0});
  const std::vector<ItemId> events(n_rows + 1, 1);
  TopKOptions options;
  options.k = static_cast<int>(arguments.number("k", 10));
  std::vector<double> wall, cpu;
  for (std::int64_t index = 0; index < arguments.number("repeats", 1); ++index) {
    const Stopwatch clock;
    (void)recloom::top_k(model, Batch(events, entries, 1), options, run);
    wall.push_back(clock.wall());
    cpu.push_back(clock.cpu());
  }
  return {{"threads", run.threads()},
          {"items", n_items},
          {"rows", n_rows},
          {"flops_per_row", 2.0 * n_items * size},
          {"seconds", wall},
          {"cpu_seconds", cpu},
          {"peak_flops", peak_flops(run.threads())},
          {"peak_memory", peak_memory()}};
}

Json head(const Arguments& arguments) {
  RunContext run(1, static_cast<int>(arguments.number("threads", 0)));
  const auto n_items = static_cast<int>(arguments.number("items", 1'000'000)),
             size = static_cast<int>(arguments.number("size", 64));
  const auto n_rows = static_cast<std::size_t>(arguments.number("rows", 2048));
  nn::Parameters parameters;
  const nn::Parameter table =
      parameters.add("items", {n_items, size}, nn::zeros(), nn::Trained::yes);
  fill_random(table.data()->values, "items", run);
  AlignedFloats diff(table.values().size());

  reset_peak_memory();
  const double before = peak_memory();
  nn::SoftmaxHeadRun softmax({.tables = {table}}, n_items, {diff.data()});
  softmax.begin(n_rows);
  fill_random(softmax.queries(), "queries", run);
  for (std::size_t row = 0; row < n_rows; ++row)
    softmax.targets()[row] =
        static_cast<std::int32_t>(row * 7919 % static_cast<std::size_t>(n_items));
  const Stopwatch clock;
  softmax.run(1.0F / static_cast<float>(n_rows), run);
  return {{"threads", run.threads()},
          {"items", n_items},
          {"rows", n_rows},
          {"seconds", clock.wall()},
          {"cpu_seconds", clock.cpu()},
          {"memory", peak_memory() - before},
          {"peak_flops", peak_flops(run.threads())}};
}

}  // namespace recloom::benchmarks
