// Settings that change nothing are named, with a reason; those that do something are not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "host/config_sections.hpp"
#include "host/toy_log.hpp"
#include "recloom/recloom.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class IdleSettings : public ::testing::Test {
 protected:
  std::vector<IdleSetting> idle(const std::string& model, std::vector<std::string> texts,
                                const std::string& config_file = "") {
    ConfigRequest request;
    request.data = log;
    request.model = model;
    request.config_file = config_file;
    for (std::string& text : texts) request.settings.push_back({"--set", std::move(text)});
    const RunConfig config =
        model.empty() ? resolve_data_config(request) : resolve_config(request, plugins);
    return idle_settings(request, config, plugins);
  }
  std::vector<std::string> keys(const std::string& model, std::vector<std::string> texts,
                                const std::string& config_file = "") {
    std::vector<std::string> found;
    for (const IdleSetting& setting : idle(model, std::move(texts), config_file))
      found.push_back(setting.key);
    return found;
  }

  testing::TemporaryFolder folder;
  std::string log = folder.write("toy.inter", testing::toy_log());
  PluginRegistry plugins;
};

TEST_F(IdleSettings, AreNamedWithTheReason) {
  const auto found = idle("gru4rec", {"train.n_negatives=5"});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(
      found[0].text(),
      "--set: train.n_negatives does nothing: train.loss = \"CE\" is over all items and draws "
      "none");
}

TEST_F(IdleSettings, OfANetwork) {
  EXPECT_THAT(keys("gru4rec", {"train.sampler=popularity"}), ElementsAre("train.sampler"));
  EXPECT_THAT(keys("gru4rec", {"train.gbce_t=0.5", "train.loss=BCE"}), ElementsAre("train.gbce_t"));
  EXPECT_THAT(keys("gru4rec", {"train.chunk_rows=4"}), ElementsAre("train.chunk_rows"));
  EXPECT_THAT(keys("gru4rec", {"train.convolution=dnnl"}), ElementsAre("train.convolution"));
  EXPECT_THAT(keys("caser", {"train.convolution=dnnl"}), IsEmpty());
  EXPECT_THAT(keys("gru4rec", {"train.final_learning_rate=0.1"}),
              ElementsAre("train.final_learning_rate"));
  EXPECT_THAT(keys("gru4rec", {"train.patience=3", "split.held_out=test_only"}),
              ElementsAre("train.patience"));
  EXPECT_THAT(keys("gru4rec", {"train.sampler_alpha=2", "train.loss=BPR"}),
              ElementsAre("train.sampler_alpha"));
  EXPECT_THAT(keys("gru4rec", {"train.epochs=3", "train.learning_rate=0.1", "train.patience=2",
                               "data.max_length=4"}),
              IsEmpty());
  EXPECT_THAT(keys("gru4rec", {"train.loss=BPR", "train.n_negatives=5", "train.sampler=popularity",
                               "train.sampler_alpha=0.5"}),
              IsEmpty());
  EXPECT_THAT(keys("gru4rec", {"train.loss=gBCE", "train.gbce_t=0.5", "train.batching=chunks",
                               "train.chunk_rows=4"}),
              IsEmpty());
}

TEST_F(IdleSettings, OfAModelThatCounts) {
  EXPECT_THAT(keys("pop", {"train.epochs=3", "train.loss=BPR", "train.optimizer=sgd"}),
              ElementsAre("train.epochs", "train.loss", "train.optimizer"));
}

TEST_F(IdleSettings, OfTheSplit) {
  EXPECT_THAT(keys("", {"split.ratios=[1,1,1]"}), ElementsAre("split.ratios"));
  EXPECT_THAT(keys("", {"split.mode=ratio", "split.held_out=test_only"}),
              ElementsAre("split.held_out"));
  EXPECT_THAT(keys("", {"split.mode=temporal", "split.group=all"}), ElementsAre("split.group"));
  EXPECT_THAT(keys("", {"split.mode=ratio", "split.ratios=[1,1,1]", "split.group=all"}), IsEmpty());
  EXPECT_THAT(keys("", {"split.mode=temporal", "split.ratios=[1,1,1]"}), IsEmpty());
  EXPECT_THAT(keys("", {"split.held_out=test_only"}), IsEmpty());
  EXPECT_THAT(keys("", {"split.ratios_of=events"}), ElementsAre("split.ratios_of"));
  EXPECT_THAT(keys("", {"split.mode=ratio", "split.ratios_of=events", "split.group=all"}),
              ElementsAre("split.ratios_of"));
  EXPECT_THAT(keys("", {"split.mode=ratio", "split.ratios_of=events", "split.targets=together"}),
              IsEmpty());
  EXPECT_THAT(keys("", {"split.mode=ratio", "split.targets=last"}), ElementsAre("split.targets"));
  EXPECT_THAT(keys("", {"split.mode=none", "split.targets=together"}),
              ElementsAre("split.targets"));
}

TEST_F(IdleSettings, OfASplitByTimeWithoutValidation) {
  for (const char* split : {"split.times=[200]", "split.last_days=[7]", "split.last_days=[0,7]"})
    EXPECT_THAT(keys("gru4rec", {"split.mode=temporal", split, "train.patience=3"}),
                ElementsAre("train.patience"))
        << split;
  for (const char* split : {"split.times=[200,300]", "split.last_days=[1,7]"})
    EXPECT_THAT(keys("gru4rec", {"split.mode=temporal", split, "train.patience=3"}), IsEmpty())
        << split;
}

TEST_F(IdleSettings, OfReadingAndEvaluating) {
  EXPECT_THAT(
      keys("pop", {"eval.metrics=[\"ap\"]", "eval.precision_divisor=list", "eval.topk=[3]"}),
      ElementsAre("eval.precision_divisor", "eval.topk"));
  EXPECT_THAT(keys("pop", {"eval.metrics=[\"precision\"]", "eval.precision_divisor=list"}),
              IsEmpty());
  EXPECT_THAT(keys("", {"data.normalize_time=true"}), ElementsAre("data.normalize_time"));
  EXPECT_THAT(keys("", {"data.normalize_time=true", "data.time_precision=float32"}), IsEmpty());
  EXPECT_THAT(keys("", {"data.format=sequences", "data.time_column=when"}),
              ElementsAre("data.time_column"));
  EXPECT_THAT(keys("pop", {"eval.popularity_alpha=2", "eval.candidates=uni10"}),
              ElementsAre("eval.popularity_alpha"));
  EXPECT_THAT(keys("pop", {"eval.popularity_alpha=2", "eval.candidates=pop10"}), IsEmpty());
  EXPECT_THAT(keys("pop", {"eval.candidates_redrawn=true"}),
              ElementsAre("eval.candidates_redrawn"));
  EXPECT_THAT(keys("pop", {"eval.tail_ratio=0.5"}), ElementsAre("eval.tail_ratio"));
  EXPECT_THAT(keys("pop", {"eval.tail_ratio=0.5", "eval.metrics=[\"tailpercentage\"]"}), IsEmpty());
}

TEST_F(IdleSettings, OfAConfigFileUnlessTheyAreDefaults) {
  ConfigRequest request;
  request.data = log;
  request.model = "gru4rec";
  const std::string whole = folder.write("whole.toml", resolve_config(request, plugins).to_toml());
  EXPECT_THAT(keys("gru4rec", {}, whole), IsEmpty());
  const std::string file = folder.write("some.toml", "[train]\nn_negatives = 7\nepochs = 2\n");
  const auto found = idle("gru4rec", {}, file);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].text(), HasSubstr(file + ": train.n_negatives does nothing"));
}

TEST_F(IdleSettings, AMisspeltSamplerIsAnErrorUnderEveryLoss) {
  for (const char* loss : {"CE", "BPR"})
    EXPECT_THROW(keys("gru4rec", {std::string("train.loss=") + loss, "train.sampler=popularty"}),
                 ConfigError);
}

}  // namespace
}  // namespace recloom
