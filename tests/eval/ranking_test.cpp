// The evaluator's ranks, lists and values against a full sort of every row.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "core/text.hpp"
#include "eval/brute_force.hpp"
#include "recloom/core/random.hpp"
#include "recloom/eval/evaluator.hpp"
#include "recloom/eval/metric_registry.hpp"
#include "scoring/fake_models.hpp"
#include "scoring/vector_world.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using namespace testing;

/// Remembers what it is shown.
class Recorder final : public Metric {
 public:
  explicit Recorder(std::size_t n_rows) : ranks(n_rows), lists(n_rows) {}
  bool needs_items() const noexcept override { return true; }
  bool at_k() const noexcept override { return false; }
  void row(const RankedRow& row, std::span<double> values) const override {
    const auto index = static_cast<std::size_t>(row.row.user - 1);
    ranks[index].assign(row.ranks.begin(), row.ranks.end());
    lists[index].assign(row.top.begin(), row.top.end());
    values[0] = static_cast<double>(row.n_candidates);
  }
  mutable std::vector<std::vector<double>> ranks;
  mutable std::vector<std::vector<ItemId>> lists;
};

enum class Form { whole_rows, fused };

struct World {
  int n_items;
  Rows rows;
  std::vector<float> scores;
};

/// Few different scores, so that ties abound; targets in the history, repeated and unknown ones.
World make_world(int n_items, std::size_t n_rows, bool several_targets, std::uint64_t key) {
  Rng rng(key);
  World world{n_items, {}, {}};
  const auto item = [&] { return static_cast<ItemId>(1 + rng.below(n_items - 1)); };
  for (std::size_t row = 0; row < n_rows; ++row) {
    std::vector<ItemId> history(static_cast<std::size_t>(rng.below(30)));
    for (ItemId& each : history) each = item();
    std::vector<ItemId> targets(several_targets ? 1 + static_cast<std::size_t>(rng.below(6)) : 1);
    for (ItemId& each : targets) each = rng.below(10) == 0 ? 0 : item();
    if (!history.empty() && rng.below(2) == 0) targets[0] = history[0];
    world.rows.add(history, targets);
    for (int score = 0; score < n_items; ++score)
      world.scores.push_back(static_cast<float>(rng.below(12)) - 5.0F);
  }
  return world;
}

std::unique_ptr<SequentialRecommender> make_model(const World& world, Form form) {
  if (form == Form::whole_rows) return std::make_unique<TableModel>(world.scores, world.n_items);
  return std::make_unique<IdentityModel>(world.scores, world.n_items);
}

EvalContext context_of(const SequentialRecommender& model) {
  EvalContext context;
  context.catalogue = model.catalogue();
  return context;
}

class Ranking : public ::testing::TestWithParam<std::tuple<Form, MaskHistory, TieRule, bool>> {};
INSTANTIATE_TEST_SUITE_P(All, Ranking,
                         ::testing::Combine(::testing::Values(Form::whole_rows, Form::fused),
                                            ::testing::Values(MaskHistory::none, MaskHistory::input,
                                                              MaskHistory::full,
                                                              MaskHistory::strict),
                                            ::testing::Values(TieRule::by_id, TieRule::optimistic,
                                                              TieRule::pessimistic, TieRule::mean),
                                            ::testing::Bool()));

TEST_P(Ranking, EqualsAFullSort) {
  const auto [form, mask, ties, several] = GetParam();
  // 1100 items: three tiles, the last one ragged.
  const World world = make_world(1100, 60, several, 7);
  const auto model = make_model(world, form);
  const Batch rows = world.rows.batch(10);
  const auto recorder = std::make_shared<Recorder>(rows.size());
  const NamedMetric metrics[] = {{"recorder", recorder}};
  EvalOptions options;
  options.topk = {5, 40};
  options.mask_history = mask;
  options.ties = ties;
  RunContext run(1, 2);
  const EvalReport report = evaluate(*model, rows, context_of(*model), options, metrics, run);
  EXPECT_EQ(report.rows, 60);
  double n_candidates = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto scores = std::span<const float>(world.scores).subspan(row * 1100, 1100);
    const BruteForceRow wanted = brute_force_rank(scores, rows, row, mask, ties);
    EXPECT_EQ(recorder->ranks[row], wanted.ranks) << "row " << row;
    const std::vector<ItemId> best(wanted.list.begin(), wanted.list.begin() + 40);
    EXPECT_EQ(recorder->lists[row], best) << "row " << row;
    n_candidates += static_cast<double>(wanted.list.size());
  }
  EXPECT_DOUBLE_EQ(report.values.at("recorder"), n_candidates / 60);
}

TEST_P(Ranking, OfAllDrawnCandidatesEqualsFullRanking) {
  const auto [form, mask, ties, several] = GetParam();
  const World world = make_world(90, 40, several, 11);
  const auto model = make_model(world, form);
  EvalOptions options;
  options.metrics = builtin_metric_names();
  options.topk = {1, 7, 20};
  options.mask_history = mask;
  options.ties = ties;
  RunContext run(1, 2);
  const auto metrics = builtin_metrics(options);
  const std::vector<std::int64_t> counts(90, 3);
  EvalContext context = context_of(*model);
  context.train_counts = context.all_counts = counts;
  const auto full = evaluate(*model, world.rows.batch(10), context, options, metrics, run).values;
  for (const char* candidates : {"uni500", "pop500"}) {
    options.candidates = candidates;
    const auto drawn =
        evaluate(*model, world.rows.batch(10), context, options, metrics, run).values;
    ASSERT_EQ(drawn.size(), full.size());
    // Blocks may be formed otherwise, so sums may differ in the last bit.
    for (const auto& [key, value] : full) EXPECT_NEAR(drawn.at(key), value, 1e-12) << key;
  }
}

/// Two sequences of many events, items again and again, beside short ones.
World make_long_world(int n_items) {
  Rng rng(23);
  World world{n_items, {}, {}};
  for (const std::size_t length : {1500, 3, 700, 290}) {
    std::vector<ItemId> events(length);
    for (ItemId& each : events) {
      // Some items come early and never again, some late: windows matter.
      const auto phase = static_cast<std::int64_t>(&each - events.data()) * n_items /
                         static_cast<std::int64_t>(2 * length);
      each = static_cast<ItemId>(1 + (phase + rng.below(n_items / 2)) % (n_items - 1));
    }
    world.rows.add_sequence(events, length - std::min<std::size_t>(length, 25) / 2);
    world.rows.add_sequence(events, length);  // the same items for another user, without rows
  }
  const std::size_t n_rows = world.rows.batch().size();
  for (std::size_t score = 0; score < n_rows * static_cast<std::size_t>(n_items); ++score)
    world.scores.push_back(static_cast<float>(rng.below(40)));
  return world;
}

class LongHistories : public ::testing::TestWithParam<std::tuple<Form, MaskHistory, int>> {};
INSTANTIATE_TEST_SUITE_P(
    All, LongHistories,
    ::testing::Combine(::testing::Values(Form::whole_rows, Form::fused),
                       ::testing::Values(MaskHistory::none, MaskHistory::input, MaskHistory::full,
                                         MaskHistory::strict),
                       ::testing::Values(10, 400, 1450, Batch::kWholeHistory)));

TEST_P(LongHistories, EqualAFullSort) {
  const auto [form, mask, max_length] = GetParam();
  const World world = make_long_world(500);
  const auto model = make_model(world, form);
  const Batch rows = world.rows.batch(max_length);
  const auto recorder = std::make_shared<Recorder>(rows.size());
  const NamedMetric metrics[] = {{"recorder", recorder}};
  EvalOptions options;
  options.topk = {500};
  options.mask_history = mask;
  RunContext run(1, 2);
  const std::vector<std::int64_t> counts(500, 3);
  EvalContext context = context_of(*model);
  context.all_counts = counts;
  for (const char* candidates : {"full", "uni500", "pop500"}) {
    options.candidates = candidates;
    evaluate(*model, rows, context, options, metrics, run);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const auto scores = std::span<const float>(world.scores).subspan(row * 500, 500);
      const BruteForceRow wanted = brute_force_rank(scores, rows, row, mask, TieRule::by_id);
      EXPECT_EQ(recorder->ranks[row], wanted.ranks) << candidates << " row " << row;
      EXPECT_EQ(recorder->lists[row], wanted.list) << candidates << " row " << row;
    }
  }
}

// A list for every row would have 4 * 10^9 items here.
TEST(LongHistory, OfManyRowsIsMaskedInLinearTime) {
  constexpr int kItems = 41;
  std::vector<ItemId> events(200000);
  for (std::size_t place = 0; place < events.size(); ++place)
    events[place] = static_cast<ItemId>(1 + place % (kItems - 1));
  Rows rows;
  rows.add_sequence(events, events.size() - 20000);
  std::vector<float> bias(kItems, 1.0F);
  const BiasModel model(bias);
  EvalOptions options;
  options.metrics = {"hit"};
  options.topk = {1};
  RunContext run(1, 2);
  for (const MaskHistory mask : {MaskHistory::full, MaskHistory::input}) {
    options.mask_history = mask;
    const auto metrics = builtin_metrics(options);
    const EvalReport report =
        evaluate(model, rows.batch(Batch::kWholeHistory), context_of(model), options, metrics, run);
    EXPECT_EQ(report.values.at("hit@1"), 1.0);  // Nothing but the target is left.
  }
}

class Similarities : public ::testing::TestWithParam<Similarity> {};
INSTANTIATE_TEST_SUITE_P(All, Similarities,
                         ::testing::Values(Similarity::dot, Similarity::cosine,
                                           Similarity::negative_euclidean));

TEST_P(Similarities, RankAsTheFormulasInDoublePrecision) {
  const VectorWorld world;
  const VectorModel model(world.n_users, world.n_items, world.size, world.queries,
                          world.head(GetParam()));
  const Batch rows = world.rows.batch();
  const auto recorder = std::make_shared<Recorder>(rows.size());
  const NamedMetric metrics[] = {{"recorder", recorder}};
  RunContext run(1, 2);
  for (const char* candidates : {"full", "uni5000"}) {
    EvalOptions options;
    options.candidates = candidates;
    evaluate(model, rows, context_of(model), options, metrics, run);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      // Scores nearer than float rounding may be in either order.
      constexpr double kNear = 2e-5;
      const auto target = static_cast<std::size_t>(rows[row].targets[0]);
      const double own = world.score(row, target, GetParam());
      double surely_above = 0, perhaps_above = 0;
      for (std::size_t item = 1; item < static_cast<std::size_t>(world.n_items); ++item) {
        const double score = world.score(row, item, GetParam());
        surely_above += item != target && score > own + kNear;
        perhaps_above += item != target && score > own - kNear;
      }
      EXPECT_GE(recorder->ranks[row].at(0), 1 + surely_above) << candidates << " row " << row;
      EXPECT_LE(recorder->ranks[row].at(0), 1 + perhaps_above) << candidates << " row " << row;
    }
  }
}

TEST(RankingOfEqualVectors, IsByIdEvenWhereProductsAreRounded) {
  VectorWorld world;
  // Every item has the vector of item 0: all scores of a row are equal if they are computed alike.
  for (std::size_t item = 1; item < static_cast<std::size_t>(world.n_items); ++item) {
    std::copy_n(world.table_a.begin(), 16, world.table_a.begin() + static_cast<long>(item * 16));
    std::copy_n(world.table_b.begin(), 8, world.table_b.begin() + static_cast<long>(item * 8));
    world.bias[item] = world.bias[0];
  }
  const VectorModel model(world.n_users, world.n_items, world.size, world.queries,
                          world.head(Similarity::dot));
  const Batch rows = world.rows.batch();
  const auto recorder = std::make_shared<Recorder>(rows.size());
  const NamedMetric metrics[] = {{"recorder", recorder}};
  RunContext run(1, 2);
  EvalOptions options;
  for (const char* candidates : {"full", "uni5000"}) {
    options.candidates = candidates;
    evaluate(model, rows, context_of(model), options, metrics, run);
    for (std::size_t row = 0; row < rows.size(); ++row)
      EXPECT_EQ(recorder->ranks[row].at(0), rows[row].targets[0]) << candidates << " row " << row;
  }
}

TEST(RankingOfEqualVectors, IsByIdWhateverTheirWidth) {
  Rng rng(29);
  Rows rows;
  constexpr int kRows = 70, kItems = 715;
  for (int row = 0; row < kRows; ++row)
    rows.add({}, {static_cast<ItemId>(1 + rng.below(kItems - 1))});
  for (const int width : {1, 7, 17, 50, 64, 129, 300}) {
    std::vector<float> vector(static_cast<std::size_t>(width)), table, queries;
    for (float& element : vector) element = static_cast<float>(rng.normal());
    for (int item = 0; item < kItems; ++item)
      table.insert(table.end(), vector.begin(), vector.end());
    for (int element = 0; element < kRows * width; ++element)
      queries.push_back(static_cast<float>(rng.normal()));
    ItemHeadView head;
    head.tables[0] = {table.data(), width};
    head.n_tables = 1;
    const VectorModel model(kRows + 1, kItems, width, queries, head);
    const auto recorder = std::make_shared<Recorder>(kRows);
    const NamedMetric metrics[] = {{"recorder", recorder}};
    RunContext run(1, 2);
    EvalOptions options;
    for (const char* candidates : {"full", "uni5", "uni300", "uni5000"}) {
      options.candidates = candidates;
      options.ties = TieRule::optimistic;
      evaluate(model, rows.batch(), context_of(model), options, metrics, run);
      for (const auto& ranks : recorder->ranks) EXPECT_EQ(ranks.at(0), 1) << width << candidates;
      options.ties = TieRule::by_id;
      evaluate(model, rows.batch(), context_of(model), options, metrics, run);
      for (const auto& list : recorder->lists) EXPECT_TRUE(std::ranges::is_sorted(list)) << width;
    }
  }
}

// The level is chosen when a program starts.
TEST(EveryInstructionSet, KeepsTies) {
  for (const char* level : {"scalar", "sse4", "avx2", "avx512"}) {
    const ProgramResult result =
        run_program({"/proc/self/exe", "--gtest_filter=RankingOfEqualVectors.*"},
                    {std::string("RECLOOM_ISA=") + level});
    EXPECT_EQ(result.exit_code, 0) << level << result.out;
    EXPECT_NE(result.out.find("2 tests"), std::string::npos) << result.out;
  }
}

TEST(RankingThreads, DoNotChangeABit) {
  const VectorWorld world;
  const VectorModel model(world.n_users, world.n_items, world.size, world.queries,
                          world.head(Similarity::cosine));
  const std::vector<std::int64_t> counts(1300, 2);
  for (const char* candidates : {"full", "uni50", "pop50"}) {
    EvalOptions options;
    options.metrics = builtin_metric_names();
    options.candidates = candidates;
    std::map<std::string, double> first;
    std::string first_file;
    for (const int threads : {1, 2, 4}) {
      const TemporaryFolder folder;
      RunContext run(1, threads);
      EvalContext context = context_of(model);
      context.train_counts = context.all_counts = counts;
      context.rows_file = folder.file("rows.tsv");
      const auto metrics = builtin_metrics(options);
      const auto values =
          evaluate(model, world.rows.batch(), context, options, metrics, run).values;
      if (first.empty()) {
        first = values;
        first_file = read_text(context.rows_file);
      }
      EXPECT_EQ(values, first) << threads << " threads, " << candidates;
      EXPECT_EQ(read_text(context.rows_file), first_file) << threads << " threads";
    }
  }
}

}  // namespace
}  // namespace recloom
