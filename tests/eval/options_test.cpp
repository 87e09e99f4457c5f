#include "recloom/eval/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "recloom/core/error.hpp"
#include "recloom/eval/metric_keys.hpp"
#include "recloom/eval/metric_registry.hpp"
#include "recloom/eval/rounding.hpp"
#include "recloom/eval/value_metrics.hpp"

namespace recloom {
namespace {

using ::testing::HasSubstr;

EvalOptions read(const Params& values) {
  EvalOptions options;
  ParamSchema schema(values, "eval.");
  options.describe(schema);
  schema.finish();
  return options;
}

std::string error_of(const Params& values) {
  try {
    read(values);
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "";
}

TEST(EvalOptions, HaveTheDocumentedDefaults) {
  const EvalOptions options = read({});
  EXPECT_EQ(options.topk, (std::vector<int>{10, 20}));
  EXPECT_EQ(options.mask_history, MaskHistory::none);
  EXPECT_EQ(options.ties, TieRule::by_id);
  EXPECT_EQ(options.candidates, "full");
  EXPECT_FALSE(options.candidates_redrawn);
}

TEST(EvalOptions, NameEveryBuiltinMetric) {
  EvalOptions options;
  ParamSchema schema({}, "eval.");
  options.describe(schema);
  const auto text = std::ranges::find(schema.declared(), "metrics", &ParamInfo::name)->doc;
  for (const std::string& name : builtin_metric_names()) EXPECT_THAT(text, HasSubstr(name));
}

TEST(EvalOptions, SortTopkAndDropRepeats) {
  EXPECT_EQ(read({{"topk", std::vector<std::int64_t>{20, 5, 20, 10}}}).topk,
            (std::vector<int>{5, 10, 20}));
}

TEST(EvalOptions, ReadWords) {
  const EvalOptions options = read({{"mask_history", std::string("full")},
                                    {"ties", std::string("mean")},
                                    {"candidates", std::string("pop250")},
                                    {"candidates_redrawn", true}});
  EXPECT_EQ(options.mask_history, MaskHistory::full);
  EXPECT_EQ(options.ties, TieRule::mean);
  EXPECT_EQ(parse_candidates(options.candidates)->mode, CandidateMode::popularity);
  EXPECT_EQ(parse_candidates(options.candidates)->count, 250);
  EXPECT_TRUE(options.candidates_redrawn);
}

TEST(EvalOptions, RefuseWhatMakesNoSense) {
  EXPECT_THAT(error_of({{"topk", std::vector<std::int64_t>{10, 0}}}), HasSubstr("eval.topk"));
  EXPECT_EQ(error_of({{"topk", std::vector<std::int64_t>{}}}),
            "eval.topk = []: must hold at least one K >= 1");
  EXPECT_EQ(error_of({{"metrics", std::vector<std::string>{}}}),
            "eval.metrics = []: must name at least one metric");
  EXPECT_EQ(error_of({{"tail_ratio", 0.0}}), "eval.tail_ratio = 0: must be above 0");
  EXPECT_THAT(error_of({{"ties", std::string("by_idd")}}), HasSubstr("by_id"));
}

TEST(EvalOptions, RefuseCandidatesOfAnotherForm) {
  for (const char* text : {"", "uni", "uni0", "uni-5", "uni 5", "uni1.5", "uni99999999999999999999",
                           "uni4294967297", "pop", "full100", "100", "popular"})
    EXPECT_THAT(error_of({{"candidates", std::string(text)}}),
                HasSubstr("must be full, uniN or popN with N >= 1"))
        << text;
  EXPECT_THAT(error_of({{"candidates", std::string("fulll")}}), HasSubstr("did you mean 'full'?"));
}

TEST(EvalOptions, AreCheckedWhoeverMadeThem) {
  EXPECT_NO_THROW(EvalOptions().validate());
  const auto refused = [](const std::function<void(EvalOptions&)>& change) {
    EvalOptions options;
    change(options);
    EXPECT_THROW(options.validate(), ConfigError);
  };
  refused([](EvalOptions& options) { options.topk = {}; });
  for (const std::vector<int>& ks : {std::vector<int>{0, 5}, {5, 5}, {10, 5}})
    refused([&](EvalOptions& options) { options.topk = ks; });
  refused([](EvalOptions& options) { options.metrics = {}; });
  refused([](EvalOptions& options) { options.tail_ratio = std::nan(""); });
  refused([](EvalOptions& options) { options.candidates = "uni"; });
}

TEST(MetricKeys, AreReadAsTheyAreMade) {
  EXPECT_EQ(metric_key("ndcg", 10), "ndcg@10");
  EXPECT_EQ(parse_metric_key("ndcg@10").metric, "ndcg");
  EXPECT_EQ(parse_metric_key("ndcg@10").k, 10);
  for (const char* text : {"gauc", "gauc@", "gauc@x", "gauc@0", "gauc@-3", "gauc@99999999999"}) {
    EXPECT_EQ(parse_metric_key(text).metric, "gauc") << text;
    EXPECT_EQ(parse_metric_key(text).k, std::nullopt) << text;
  }
}

TEST(Rounding, LeavesWhatIsNoNumberAlone) {
  for (const double value :
       {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
    EXPECT_EQ(round_scaled(value, 4), value);
    EXPECT_EQ(round_decimal(value, 4), value);
  }
  EXPECT_TRUE(std::isnan(round_scaled(std::nan(""), 4)));
  EXPECT_TRUE(std::isnan(round_decimal(std::nan(""), 4)));
}

TEST(Rounding, HandlesTheLargestAndSmallest) {
  constexpr double kLargest = std::numeric_limits<double>::max();
  EXPECT_EQ(round_scaled(kLargest, 4), kLargest);
  EXPECT_EQ(round_decimal(-kLargest, 22), -kLargest);
  EXPECT_EQ(round_decimal(std::numeric_limits<double>::denorm_min(), 22), 0);
  EXPECT_EQ(round_decimal(2.5, 0), 2);
  EXPECT_EQ(round_scaled(-2.5, 0), -2);
}

TEST(ValueMetrics, OfNothingAreNoNumber) {
  EXPECT_TRUE(std::isnan(auc({}, {})));
  EXPECT_TRUE(std::isnan(log_loss({}, {})));
  EXPECT_TRUE(std::isnan(mae({}, {})));
  EXPECT_TRUE(std::isnan(rmse({}, {})));
}

TEST(ValueMetrics, OfWhatIsNoNumberAreNone) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const std::size_t place : {0U, 1U, 2U}) {
    std::vector<float> values = {0.1F, 0.2F, 0.3F}, labels = {0, 1, 1};
    values[place] = nan;
    const auto all_none = [&](const std::vector<float>& predictions,
                              const std::vector<float>& truths) {
      for (const auto metric : {auc, log_loss, mae, rmse})
        EXPECT_TRUE(std::isnan(metric(predictions, truths))) << place;
    };
    all_none(values, labels);
    all_none(labels, values);
  }
}

TEST(ValueMetrics, OrderInfinitePredictions) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> predictions = {-infinity, infinity, infinity, 0}, labels = {0, 1, 0, 1};
  // Pairs in order: 1 > -inf, 1 = inf (half), 0 > -inf, 0 < inf.
  EXPECT_DOUBLE_EQ(auc(predictions, labels), 2.5 / 4);
}

TEST(ValueMetrics, RefuseSpansOfDifferentLength) {
  const std::vector<float> two(2), three(3);
  EXPECT_THROW(auc(two, three), ConfigError);
  EXPECT_THROW(rmse(three, two), ConfigError);
}

}  // namespace
}  // namespace recloom
