#include "recloom/train/options.hpp"

#include <gtest/gtest.h>

#include <string>

#include "recloom/core/error.hpp"

namespace recloom {
namespace {

/// Return the message with which a value is refused, "" if it is legal.
std::string refusal(const std::string& key, Value value) {
  TrainOptions options;
  try {
    ParamSchema schema(Params{{key, std::move(value)}}, "train.");
    options.describe(schema);
    schema.finish();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

// RecBole 1.2.1, properties/overall.yaml.
TEST(TrainOptions, HaveRecBolesDefaults) {
  const TrainOptions options;
  EXPECT_EQ(options.epochs, 300);
  EXPECT_EQ(options.batch_size, 2048);
  EXPECT_EQ(options.loss, "CE");
  EXPECT_EQ(options.optimizer, nn::OptimizerKind::adam);
  EXPECT_EQ(options.learning_rate, 1e-3);
  EXPECT_EQ(options.weight_decay, 0);
  EXPECT_EQ(options.eval_every, 1);
  EXPECT_EQ(options.patience, 10);
}

TEST(TrainOptions, DescribeEveryKeyWithItsMeaning) {
  TrainOptions options;
  ParamSchema schema;
  options.describe(schema);
  EXPECT_EQ(schema.declared().size(), 30U);
  for (const ParamInfo& info : schema.declared()) {
    EXPECT_FALSE(info.doc.empty()) << info.name;
  }
}

TEST(TrainOptions, TakeValuesByKey) {
  TrainOptions options;
  ParamSchema schema(Params{{"optimizer", std::string("sgd")},
                            {"schedule", std::string("cosine")},
                            {"loss", std::string("BPR")},
                            {"batch_size", std::int64_t{7}},
                            {"round_before_early_stop", true}},
                     "train.");
  options.describe(schema);
  schema.finish();
  EXPECT_EQ(options.optimizer, nn::OptimizerKind::sgd);
  EXPECT_EQ(options.schedule, Schedule::cosine);
  EXPECT_EQ(options.loss, "BPR");
  EXPECT_EQ(options.batch_size, 7);
  EXPECT_TRUE(options.round_before_early_stop);
}

TEST(TrainOptions, RefuseWhatIsNotLegal) {
  EXPECT_EQ(refusal("epochs", std::int64_t{1}), "");
  EXPECT_NE(refusal("epochs", std::int64_t{0}), "");
  EXPECT_NE(refusal("batch_size", std::int64_t{0}), "");
  EXPECT_NE(refusal("learning_rate", 0.0), "");
  EXPECT_NE(refusal("weight_decay", -1.0), "");
  EXPECT_NE(refusal("gbce_t", 1.5), "");
  EXPECT_NE(refusal("final_learning_rate", 1.5), "");
  EXPECT_NE(refusal("epochs", std::string("many")), "");
  const std::string loss = refusal("loss", std::string("ce"));
  EXPECT_NE(loss.find("train.loss"), std::string::npos) << loss;
  EXPECT_NE(loss.find("CE"), std::string::npos) << loss;
  const std::string batching = refusal("batching", std::string("chunk"));
  EXPECT_NE(batching.find("rows, chunks"), std::string::npos) << batching;
  EXPECT_NE(refusal("chunk_rows", std::int64_t{0}), "");
}

TEST(TrainOptions, AreValidatedTogether) {
  TrainOptions options;
  options.weight_decay = 0.1;
  EXPECT_NO_THROW(options.validate());
  options.optimizer = nn::OptimizerKind::sparse_adam;
  EXPECT_THROW(options.validate(), ConfigError);
}

}  // namespace
}  // namespace recloom
