// Tensors of more than 2^31 numbers: of the rows of a shard, and of a table.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "core/untouched.hpp"
#include "large/large.hpp"
#include "nn/exec/shard.hpp"
#include "nn/graph/graph.hpp"
#include "nn/graph/parameter_data.hpp"
#include "nn/passes/plan.hpp"
#include "nn/step/train_step.hpp"
#include "nn/toy_network.hpp"
#include "recloom/eval/recommend.hpp"

namespace recloom::nn {
namespace {

/// 256 rows of 1000 vectors are 2.15e9 numbers.
constexpr int kRows = 256, kLength = 1000, kWidth = 8400, kItems = 5;

struct Wide {
  ToyNetwork network{{2, kItems, kLength}};
  Embedding table{network.at("table"), kItems, kWidth, zeros(), PaddingRow::trained};
  Linear narrow{network.at("narrow"), kWidth, 1};
  Wide() { fill_all(network, -1, 1); }

  double product(ItemId item) const {
    double sum = narrow.bias.values()[0];
    for (std::size_t e = 0; e < kWidth; ++e)
      sum += static_cast<double>(narrow.weight.values()[e]) *
             table.weight.values()[static_cast<std::size_t>(item) * kWidth + e];
    return sum;
  }
};

/// Row r's item at position t.
ItemId item_at(int row, int t) { return static_cast<ItemId>((row + t) % (kItems - 1) + 1); }

TEST(Large, LinearOverTheRowsOfAShard) {
  RECLOOM_REQUIRE_LARGE(9);
  const Wide wide;
  ToyRows rows(kLength);
  for (int row = 0; row < kRows; ++row) {
    std::vector<ItemId> history(kLength);
    for (int t = 0; t < kLength; ++t) history[static_cast<std::size_t>(t)] = item_at(row, t);
    rows.add(1, history, 1);
  }
  Graph graph({.catalogue = wide.network.catalogue()});
  const Var y = wide.narrow(wide.table(Inputs(&graph).history().ids()));
  const std::array outputs{y.node()};
  const Plan plan(graph, {.outputs = outputs});
  Shard shard(plan, kRows);
  shard.load(rows.batch(), {});
  shard.forward();
  std::vector<double> expected;
  for (ItemId item = 0; item < kItems; ++item) expected.push_back(wide.product(item));
  const std::span<const float> values = shard.value(y.node());
  ASSERT_EQ(values.size(), std::size_t{kRows} * kLength);
  for (int row = 0; row < kRows; ++row)
    for (int t = 0; t < kLength; ++t)
      ASSERT_NEAR(values[static_cast<std::size_t>(row * kLength + t)],
                  expected[static_cast<std::size_t>(item_at(row, t))], 1e-3)
          << "row " << row << " position " << t;
}

/// The op that linear() records, and operands of which only the last vector is no zeros.
struct LinearBackward {
  Wide wide;
  Graph graph{{.catalogue = wide.network.catalogue()}};
  Var y = wide.narrow(wide.table(Inputs(&graph).history().ids()));
  UntouchedFloats x{std::size_t{kRows} * kLength * kWidth}, output{std::size_t{kRows} * kLength},
      dy{std::size_t{kRows} * kLength};
  std::vector<float> dweight = std::vector<float>(kWidth), dbias = std::vector<float>(1);

  LinearBackward() {
    std::iota(last(x), last(x) + kWidth, 1.0F);
    dy.data()[dy.size() - 1] = 2;
  }
  static float* last(UntouchedFloats& vectors) { return vectors.data() + vectors.size() - kWidth; }
  void run(std::span<float> dx) {
    const std::array inputs{std::span<const float>(x.data(), x.size()), wide.narrow.weight.values(),
                            wide.narrow.bias.values()};
    const std::array<std::span<float>, 3> gradients{dx, dweight, dbias};
    const std::array first_write{'\0', '\0', '\0'};
    const OperandShapes shapes = graph.node(y.node()).operand_shapes();
    OpBackward c;
    c.rows = kRows;
    c.inputs = inputs;
    c.shapes = shapes.view();
    c.output_shape = y.shape();
    c.first_write = first_write;
    c.output = {output.data(), output.size()};
    c.diff_output = {dy.data(), dy.size()};
    c.diff_inputs = gradients;
    graph.node(y.node()).op()->backward(c);
  }
};

TEST(Large, LinearBackwardToItsWeights) {
  RECLOOM_REQUIRE_LARGE(9);  // Only zeros are read but for the end, which takes no memory.
  LinearBackward linear;
  linear.run({});
  for (std::size_t e = 0; e < kWidth; ++e)
    ASSERT_EQ(linear.dweight[e], 2 * (static_cast<float>(e) + 1)) << e;
  EXPECT_EQ(linear.dbias[0], 2);
}

TEST(Large, LinearBackwardToItsInput) {
  RECLOOM_REQUIRE_LARGE(9);
  LinearBackward linear;
  UntouchedFloats dx(linear.x.size());
  linear.run({dx.data(), dx.size()});
  for (std::size_t e = 0; e < kWidth; ++e) {
    ASSERT_EQ(LinearBackward::last(dx)[e], 2 * linear.wide.narrow.weight.values()[e]) << e;
    ASSERT_EQ(dx.data()[e], 0) << e;
  }
}

/// A table of items of 2^31 + 64,000 numbers.
constexpr int kManyItems = (1 << 25) + 1000, kSize = 64;

struct Catalog {
  ToyNetwork network{{2, kManyItems, 3}};
  Embedding items{network.at("items"), kManyItems, kSize, zeros()};

  Catalog() {
    const Parameter table = items.weight;
    std::vector<float> row(kSize);
    AlignedFloats& values = table.data()->values;
    for (const int item : {1, (1 << 25) - 1, 1 << 25, kManyItems - 1})
      for (int e = 0; e < kSize; ++e)
        values[static_cast<std::size_t>(item) * kSize + static_cast<std::size_t>(e)] =
            static_cast<float>((item + e) % 7 - 3) / 4;
    network.head = {.tables = {table}};
    network.on_forward = [this](const Inputs& in) {
      return sum_over_time(items(in.history().ids()));
    };
    network.ready();
  }
  std::span<const float> row(int item) const {
    return items.weight.values().subspan(static_cast<std::size_t>(item) * kSize, kSize);
  }
};

double dot(std::span<const float> a, std::span<const float> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

TEST(Large, TableIsLookedUpScoredAndUpdated) {
  RECLOOM_REQUIRE_LARGE(9);
  Catalog catalog;
  const ItemId last = kManyItems - 1, other = 1 << 25;
  ToyRows rows(3);
  rows.add(1, {last}, other, {1});
  const RunContext run(1, 2);

  TopKOptions options;
  options.k = 3;
  options.hide_history = false;
  const auto list = top_k(catalog.network, rows.batch(), options, run).at(0);
  std::vector<Recommendation> expected;
  for (const ItemId item : {1, (1 << 25) - 1, other, last})
    expected.push_back({item, static_cast<float>(dot(catalog.row(last), catalog.row(item)))});
  expected.push_back({2, 0.0F});  // The first of all that are zeros.
  std::ranges::stable_sort(expected, std::greater<>(), &Recommendation::score);
  for (std::size_t place = 0; place < 3; ++place) {
    EXPECT_EQ(list[place].item, expected[place].item) << place;
    EXPECT_NEAR(list[place].score, expected[place].score, 1e-4) << place;
  }

  StepOptions step_options;
  step_options.loss = "BPR";
  step_options.n_negatives = 1;
  step_options.batch_size = 1;
  step_options.optimizer.kind = OptimizerKind::sparse_adam;
  TrainStep step(catalog.network, step_options);
  std::vector<std::vector<float>> before;
  for (const ItemId item : {1, (1 << 25) - 1, other, last})
    before.emplace_back(catalog.row(item).begin(), catalog.row(item).end());
  const double margin = dot(before[3], before[2]) - dot(before[3], before[0]);
  RunContext training(1, 2);
  const StepResult result = step.run(rows.batch(), {}, 0.01, training);
  EXPECT_NEAR(result.loss, std::log1p(std::exp(-margin)), 1e-5);
  const auto moved = [&](std::size_t index, ItemId item) {
    return !std::ranges::equal(before[index], catalog.row(item));
  };
  EXPECT_TRUE(moved(0, 1));
  EXPECT_FALSE(moved(1, (1 << 25) - 1)) << "nothing looked it up";
  EXPECT_TRUE(moved(2, other));
  EXPECT_TRUE(moved(3, last));
  // Adam's first step is the rate, against the sign of the gradient, which is -query of the target.
  for (std::size_t e = 0; e < kSize; ++e) {
    if (before[3][e] == 0) continue;
    EXPECT_NEAR(catalog.row(other)[e] - before[2][e], before[3][e] > 0 ? 0.01 : -0.01, 1e-4);
  }
}

}  // namespace
}  // namespace recloom::nn
