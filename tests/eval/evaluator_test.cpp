#include "recloom/eval/evaluator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "recloom/core/error.hpp"
#include "recloom/eval/metric_keys.hpp"
#include "recloom/eval/metric_registry.hpp"
#include "scoring/fake_models.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using namespace testing;
using ::testing::HasSubstr;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

EvalContext context_of(const SequentialRecommender& model) {
  EvalContext context;
  context.catalogue = model.catalogue();
  return context;
}

EvalReport evaluate_with(const SequentialRecommender& model, const Batch& rows,
                         const EvalOptions& options) {
  RunContext run(1, 2);
  return evaluate(model, rows, context_of(model), options, builtin_metrics(options), run);
}

EvalOptions at(std::vector<int> ks, std::vector<std::string> metrics = {"hit", "mrr"}) {
  EvalOptions options;
  options.topk = std::move(ks);
  options.metrics = std::move(metrics);
  return options;
}

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(Evaluator, RanksASmallTableByHand) {
  //                        0     1     2     3     4
  const TableModel model({9.0F, 0.1F, 0.4F, 0.3F, 0.2F,   // target 3: rank 2
                          9.0F, 0.5F, 0.5F, 0.5F, 0.1F},  // target 3: rank 3 by id
                         5);
  Rows rows;
  rows.add({1}, {3});
  rows.add({2}, {3});
  const EvalReport report = evaluate_with(model, rows.batch(), at({1, 2, 3}));
  EXPECT_EQ(report.rows, 2);
  EXPECT_DOUBLE_EQ(report.values.at("hit@1"), 0);
  EXPECT_DOUBLE_EQ(report.values.at("hit@2"), 0.5);
  EXPECT_DOUBLE_EQ(report.values.at("hit@3"), 1);
  EXPECT_DOUBLE_EQ(report.values.at("mrr@3"), (1.0 / 2 + 1.0 / 3) / 2);
}

TEST(Evaluator, KeepsATargetThatTheMaskedHistoryHolds) {
  const TableModel model({0, 0.9F, 0.8F, 0.1F}, 4);
  Rows rows;
  rows.add({1, 2}, {2});
  EvalOptions options = at({1});
  options.mask_history = MaskHistory::full;
  EXPECT_DOUBLE_EQ(evaluate_with(model, rows.batch(), options).values.at("hit@1"), 1);
}

TEST(Evaluator, MasksOnlyWhatTheModelSeesOnRequest) {
  const TableModel model({0, 0.9F, 0.8F, 0.1F}, 4);
  Rows rows;
  rows.add({1, 2}, {3});
  EvalOptions options = at({1, 2, 3});
  options.mask_history = MaskHistory::input;
  // One item is seen, item 2; item 1 stays in front.
  EXPECT_DOUBLE_EQ(evaluate_with(model, rows.batch(1), options).values.at("mrr@3"), 0.5);
  options.mask_history = MaskHistory::full;
  EXPECT_DOUBLE_EQ(evaluate_with(model, rows.batch(1), options).values.at("mrr@3"), 1);
}

TEST(Evaluator, CountsUnknownAndUnrankableTargetsAsMisses) {
  const TableModel model({0, 0.9F, -kInfinity, 0.1F,  //
                          0, 0.9F, -kInfinity, 0.1F,  //
                          0, 0.9F, 0.2F, 0.1F},
                         4);
  Rows rows;
  rows.add({}, {0});
  rows.add({}, {2});
  rows.add({}, {1, 0});
  const EvalReport report = evaluate_with(model, rows.batch(), at({3}, {"hit", "recall", "gauc"}));
  EXPECT_EQ(report.unknown_targets, 2);
  EXPECT_DOUBLE_EQ(report.values.at("hit@3"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(report.values.at("recall@3"), 0.5 / 3);
  // Only the last row has a relevant candidate, and it is in front of the two others.
  EXPECT_DOUBLE_EQ(report.values.at("gauc"), 1);
}

TEST(Evaluator, WorksOnTheSmallestCatalogue) {
  for (const int n_items : {2, 3}) {
    const IdentityModel model(std::vector<float>(static_cast<std::size_t>(n_items), 1.0F), n_items);
    Rows rows;
    rows.add({}, {1});
    EvalOptions options = at({1, 10}, builtin_metric_names());
    const std::vector<std::int64_t> counts(static_cast<std::size_t>(n_items), 1);
    for (const char* candidates : {"full", "uni3", "pop3"}) {
      options.candidates = candidates;
      RunContext run(1, 1);
      EvalContext context = context_of(model);
      context.all_counts = counts;
      const auto values =
          evaluate(model, rows.batch(), context, options, builtin_metrics(options), run).values;
      EXPECT_DOUBLE_EQ(values.at("hit@1"), 1) << candidates;
      EXPECT_DOUBLE_EQ(values.at("itemcoverage@10"), (n_items - 1.0) / n_items) << candidates;
      // With a single item there is no pair.
      EXPECT_EQ(std::isnan(values.at("gauc")), n_items == 2) << candidates;
    }
  }
}

TEST(Evaluator, ReportsNoValueOfAnEmptyPart) {
  const TableModel model({0, 1, 2}, 3);
  const EvalReport report = evaluate_with(model, Rows().batch(), at({1}));
  EXPECT_EQ(report.rows, 0);
  EXPECT_TRUE(report.values.empty());
}

TEST(Evaluator, RefusesNanAndNamesTheRow) {
  std::vector<float> scores(3 * 4, 0.5F);
  scores[4 + 3] = kNan;
  Rows rows;
  rows.add({}, {1});
  rows.add({2, 2}, {1});
  rows.add({}, {0});
  const TableModel whole(scores, 4);
  EvalOptions options = at({2});
  const auto run_it = [&] { evaluate_with(whole, rows.batch(), options); };
  EXPECT_THROW(run_it(), NumericError);
  EXPECT_EQ(error_of(run_it), "the model's score of item 3 in row 3 (user 2) is not a number");
  options.candidates = "uni100";
  EXPECT_EQ(error_of(run_it), "the model's score of item 3 in row 3 (user 2) is not a number");
}

TEST(Evaluator, SeesNanInARowWithoutAKnownTarget) {
  const TableModel model({0, kNan, 1}, 3);
  Rows rows;
  rows.add({}, {0});
  EXPECT_THROW(evaluate_with(model, rows.batch(), at({1})), NumericError);
}

TEST(Evaluator, SeesNanInTheTargetItself) {
  const TableModel model({0, kNan, 1}, 3);
  Rows rows;
  rows.add({}, {1});
  EXPECT_THROW(evaluate_with(model, rows.batch(), at({1})), NumericError);
}

TEST(Evaluator, NeverLooksAtColumnZero) {
  const TableModel model({kNan, 0.5F, 1}, 3);
  Rows rows;
  rows.add({}, {2});
  EXPECT_DOUBLE_EQ(evaluate_with(model, rows.batch(), at({1})).values.at("hit@1"), 1);
}

TEST(Evaluator, StopsOnRequest) {
  const TableModel model({0, 1, 2}, 3);
  Rows rows;
  rows.add({}, {1});
  RunContext run(1, 1);
  run.request_stop();
  const EvalOptions options = at({1});
  const TemporaryFolder folder;
  EvalContext context = context_of(model);
  context.rows_file = folder.file("rows.tsv");
  EXPECT_THROW(evaluate(model, rows.batch(), context, options, builtin_metrics(options), run),
               Interrupted);
  EXPECT_FALSE(std::filesystem::exists(context.rows_file));
}

TEST(Evaluator, WritesEveryRowInOrder) {
  // One tile per item range, rows in another order inside: more items than a tile has.
  constexpr int kItems = 600;
  std::vector<float> scores(3 * kItems, 0.0F);
  scores[599] = 2;
  scores[kItems + 1] = 2;
  scores[2 * kItems + 5] = 2;
  const IdentityModel model(scores, kItems);
  Rows rows;
  rows.add({}, {599});
  rows.add({}, {2});
  rows.add({}, {7, 5, 0});
  const TemporaryFolder folder;
  EvalContext context = context_of(model);
  context.rows_file = folder.file("rows.tsv");
  const std::vector<std::string> tokens = {"[PAD]", "ann", "bob", "eve"};
  context.user_tokens = tokens;
  std::vector<std::string> item_tokens(kItems);
  for (std::size_t item = 0; item < item_tokens.size(); ++item)
    item_tokens[item] = "i" + std::to_string(item);
  context.item_tokens = item_tokens;
  RunContext run(1, 2);
  const EvalOptions options = at({2}, {"hit", "mrr", "recall", "itemcoverage", "gauc"});
  evaluate(model, rows.batch(), context, options, builtin_metrics(options), run);
  EXPECT_EQ(read_text(context.rows_file),
            "user\ttarget\trank\thit@2\tmrr@2\trecall@2\tgauc\n"
            "ann\ti599\t1\t1\t1\t1\t1\n"
            "bob\ti2\t2\t1\t0.5\t1\t0.4991638795986622\n"
            "eve\ti7,i5,i0\t1,7,inf\t1\t1\t0.3333333333333333\t0.75\n");
}

TEST(Evaluator, WritesNoNumberWhereARowIsLeftOut) {
  const TableModel model({0, 1, 2}, 3);
  Rows rows;
  rows.add({}, {0});
  const TemporaryFolder folder;
  EvalContext context = context_of(model);
  context.rows_file = folder.file("rows.tsv");
  RunContext run(1, 1);
  const EvalOptions options = at({1}, {"gauc"});
  const EvalReport report =
      evaluate(model, rows.batch(), context, options, builtin_metrics(options), run);
  EXPECT_EQ(read_text(context.rows_file), "user\ttarget\trank\tgauc\n1\t0\tinf\tnan\n");
  EXPECT_TRUE(std::isnan(report.values.at("gauc")));
}

TEST(Evaluator, CountsTargetsThatTheRowsDoNotHold) {
  const TableModel model({0, 1, 2, 0, 1, 2, 0, 1, 2}, 3);
  Rows rows, named;
  rows.add({1}, {});
  rows.add({2}, {1});
  rows.add({}, {2});
  named.add({4, 1}, {3});
  named.add({2}, {4, 1, 3});
  named.add({}, {2});
  const TemporaryFolder folder;
  EvalContext context = context_of(model);
  context.rows_file = folder.file("rows.tsv");
  const std::vector<std::string> users = {"[PAD]", "a\tb", "c\nd", "e\\f"};
  const std::vector<std::string> items = {"[PAD]", "one", "two", "three", "four\r"};
  context.user_tokens = users;
  context.item_tokens = items;
  const Batch named_rows = named.batch();
  context.named_rows = &named_rows;
  const std::vector<std::int32_t> lost = {1, 2, 0};
  context.lost_targets = lost;
  RunContext run(1, 2);
  const EvalOptions options = at({2}, {"hit", "recall"});
  const EvalReport report =
      evaluate(model, rows.batch(), context, options, builtin_metrics(options), run);
  EXPECT_EQ(report.unknown_targets, 3);
  EXPECT_DOUBLE_EQ(report.values.at("hit@2"), 2.0 / 3);
  EXPECT_EQ(read_text(context.rows_file),
            "user\ttarget\trank\thit@2\trecall@2\n"
            "a\\tb\tthree\tinf\t0\t0\n"
            "c\\nd\tfour\\r,one,three\t2,inf,inf\t1\t0.3333333333333333\n"
            "e\\\\f\ttwo\t1\t1\t1\n");
}

TEST(Evaluator, GivesAListMetricWithoutKOneValueOfTheLongestLists) {
  class Distinct final : public ListMetric {
   public:
    explicit Distinct(bool at_k) : at_k_(at_k) {}
    bool at_k() const noexcept override { return at_k_; }
    double value(std::span<const std::int64_t> counts, std::int64_t, int k) const override {
      return 100.0 * k + static_cast<double>(std::ranges::count_if(
                             counts, [](std::int64_t count) { return count > 0; }));
    }

   private:
    bool at_k_;
  };
  const TableModel model({0, 1, 2, 3, 0, 3, 2, 1}, 4);
  Rows rows;
  rows.add({}, {1});
  rows.add({}, {1});
  RunContext run(1, 1);
  const NamedMetric metrics[] = {{"free", std::make_shared<Distinct>(false)},
                                 {"bound", std::make_shared<Distinct>(true)},
                                 {"gauc", make_builtin_metric("gauc", {})}};
  const EvalOptions options = at({1, 2});
  const EvalReport report = evaluate(model, rows.batch(), context_of(model), options, metrics, run);
  std::vector<std::string> keys, reported;
  for (const NamedMetric& metric : metrics)
    for (const std::string& key : metric_keys(metric, options.topk)) keys.push_back(key);
  for (const auto& [key, value] : report.values) reported.push_back(key);
  EXPECT_THAT(reported, ::testing::UnorderedElementsAreArray(keys));
  EXPECT_EQ(report.values.at("free"), 203);
  EXPECT_EQ(report.values.at("bound@1"), 102);
  EXPECT_EQ(report.values.at("bound@2"), 203);
}

TEST(Evaluator, ReportsAFileThatCannotBeWritten) {
  const TableModel model({0, 1, 2}, 3);
  Rows rows;
  rows.add({}, {1});
  EvalContext context = context_of(model);
  context.rows_file = "/dev/null/rows.tsv";
  RunContext run(1, 1);
  const EvalOptions options = at({1});
  EXPECT_THROW(evaluate(model, rows.batch(), context, options, builtin_metrics(options), run),
               IoError);
}

TEST(Evaluator, RefusesAModelOfAnotherCatalogue) {
  const TableModel model({0, 1, 2}, 3);
  Rows rows;
  rows.add({}, {1});
  EvalContext context = context_of(model);
  context.catalogue.n_items = 7;
  RunContext run(1, 1);
  const EvalOptions options = at({1});
  EXPECT_THROW(evaluate(model, rows.batch(), context, options, builtin_metrics(options), run),
               ModelError);
}

TEST(Evaluator, WeighsRowsAsAMetricSays) {
  /// 10 for user 1, 20 for user 2; the second counts three times.
  class Weighted final : public Metric {
   public:
    bool at_k() const noexcept override { return false; }
    void row(const RankedRow& row, std::span<double> values) const override {
      values[0] = 10.0 * row.row.user;
    }
    double weight(const RankedRow& row) const override { return row.row.user == 1 ? 1 : 3; }
  };
  const TableModel model({0, 1, 2, 0, 1, 2}, 3);
  Rows rows;
  rows.add({}, {1});
  rows.add({}, {1});
  RunContext run(1, 1);
  const NamedMetric metrics[] = {{"weighted", std::make_shared<Weighted>()}};
  const EvalReport report = evaluate(model, rows.batch(), context_of(model), at({1}), metrics, run);
  EXPECT_DOUBLE_EQ(report.values.at("weighted"), 17.5);
}

TEST(Evaluator, RefusesValuesThatHaveNoMean) {
  /// What it is told as the value or weight of user 2.
  class Odd final : public Metric {
   public:
    Odd(double value, double weight) : value_(value), weight_(weight) {}
    bool at_k() const noexcept override { return false; }
    void row(const RankedRow& row, std::span<double> values) const override {
      values[0] = row.row.user == 2 ? value_ : 1;
    }
    double weight(const RankedRow& row) const override { return row.row.user == 2 ? weight_ : 1; }

   private:
    double value_, weight_;
  };
  const TableModel model({0, 1, 2, 0, 1, 2}, 3);
  Rows rows;
  rows.add({}, {1});
  rows.add({}, {1});
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  for (const auto& [value, weight] :
       {std::pair(nan, 1.0), {infinity, 1.0}, {1.0, nan}, {1.0, infinity}, {1.0, -1.0}}) {
    RunContext run(1, 1);
    const NamedMetric metrics[] = {{"odd", std::make_shared<Odd>(value, weight)}};
    try {
      evaluate(model, rows.batch(), context_of(model), at({1}), metrics, run);
      ADD_FAILURE() << value << " " << weight;
    } catch (const NumericError& error) {
      EXPECT_THAT(error.what(), HasSubstr("metric column 'odd': user id 2 has the value "));
    }
  }
}

TEST(BuiltinMetrics, AreKnownByName) {
  EvalOptions options;
  for (const std::string& name : builtin_metric_names())
    EXPECT_NE(make_builtin_metric(name, options), nullptr) << name;
  EXPECT_EQ(make_builtin_metric("serendipity", options), nullptr);
}

TEST(BuiltinMetrics, SuggestTheNearestName) {
  const auto message = [](const std::string& name) {
    EvalOptions options;
    options.metrics = {"hit", name};
    return error_of([&] { builtin_metrics(options); });
  };
  EXPECT_THAT(message("ndgc"), HasSubstr("eval.metrics: unknown metric 'ndgc', must be one of hit, "
                                         "mrr, ndcg"));
  EXPECT_THAT(message("ndgc"), HasSubstr("did you mean 'ndcg'?"));
  EXPECT_THAT(message("NDCG"), HasSubstr("did you mean 'ndcg'?"));
  EXPECT_THAT(message("recall@10"), HasSubstr("did you mean 'recall'?"));
  const std::string plugins[] = {"serendipity"};
  EXPECT_THAT(error_of([&] { throw_unknown_metric("serendipty", plugins); }),
              HasSubstr("did you mean 'serendipity'?"));
}

}  // namespace
}  // namespace recloom
