// Targets that no training row asked for: counted, and left out where asked.
#include "eval/cold_targets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "recloom/eval/evaluator.hpp"
#include "recloom/eval/metric_registry.hpp"
#include "scoring/fake_models.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using namespace testing;

class ColdTargetsTest : public ::testing::Test {
 protected:
  ColdTargetsTest() {
    // Ranks 1, 4, 2 and none; items 3 and 4 were never trained.
    for (const ItemId target : {1, 4, 2, 3}) rows.add({1}, {target});
    context.catalogue = model.catalogue();
    context.train_counts = counts;
    options.metrics = {"mrr", "itemcoverage"};
    options.topk = {5};
  }
  EvalReport evaluated() {
    RunContext run(1, 2);
    return evaluate(model, rows.batch(), context, options, builtin_metrics(options), run);
  }

  TableModel model{{0.0F, 0.9F, 0.8F, 0.7F, 0.6F,  //
                    0.0F, 0.9F, 0.8F, 0.7F, 0.6F,  //
                    0.0F, 0.9F, 0.8F, 0.7F, 0.6F,  //
                    0.0F, 0.9F, 0.8F, 0.7F, 0.6F},
                   5};
  std::vector<std::int64_t> counts{0, 3, 1, 0, 0};
  Rows rows;
  EvalContext context;
  EvalOptions options;
};

TEST_F(ColdTargetsTest, AreCounted) {
  const EvalReport report = evaluated();
  EXPECT_EQ(report.rows, 4);
  EXPECT_EQ(report.cold_targets, 2);
  EXPECT_EQ(report.dropped_rows, 0);
  EXPECT_NEAR(report.values.at("mrr@5"), (1 + 1 / 4.0 + 1 / 2.0 + 1 / 3.0) / 4, 1e-12);
}

TEST_F(ColdTargetsTest, AreLeftOut) {
  TemporaryFolder folder;
  options.cold_targets = ColdTargets::drop;
  context.rows_file = folder.file("rows.tsv");
  const EvalReport report = evaluated();
  EXPECT_EQ(report.rows, 2);
  EXPECT_EQ(report.cold_targets, 2);
  EXPECT_EQ(report.dropped_rows, 2);
  EXPECT_NEAR(report.values.at("mrr@5"), (1 + 1 / 2.0) / 2, 1e-12);
  EXPECT_EQ(read_text(context.rows_file), "user\ttarget\trank\tmrr@5\n1\t1\t1\t1\n3\t2\t2\t0.5\n");
}

TEST_F(ColdTargetsTest, OfItemsThatTheModelLacks) {
  // A target that was lost in translation is cold as well, whatever the counts.
  const std::vector<std::int32_t> lost{0, 0, 1, 0};
  Rows fewer;
  for (const std::vector<ItemId>& targets : {std::vector<ItemId>{1}, std::vector<ItemId>{4},
                                             std::vector<ItemId>{}, std::vector<ItemId>{3}})
    fewer.add({1}, targets);
  rows = fewer;
  context.lost_targets = lost;
  EXPECT_EQ(evaluated().cold_targets, 3);
  EXPECT_EQ(evaluated().unknown_targets, 1);
  options.cold_targets = ColdTargets::drop;
  EXPECT_EQ(evaluated().dropped_rows, 3);
  EXPECT_EQ(evaluated().unknown_targets, 0) << "no miss is left";
}

TEST_F(ColdTargetsTest, MayLeaveNothing) {
  options.cold_targets = ColdTargets::drop;
  counts.assign(5, 0);
  const EvalReport report = evaluated();
  EXPECT_EQ(report.rows, 0);
  EXPECT_EQ(report.dropped_rows, 4);
  EXPECT_TRUE(std::isnan(report.values.at("mrr@5")));
  EXPECT_TRUE(std::isnan(report.values.at("itemcoverage@5")));
}

}  // namespace
}  // namespace recloom
