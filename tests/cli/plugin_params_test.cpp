// Parameters of metrics and samplers that are plugins.
#include "cli/program_test.hpp"

namespace recloom::testing {
namespace {

using ::testing::HasSubstr;

class PluginParams : public ProgramTest {
 protected:
  /// Train markov, or a small caser where negatives are needed, with the fixtures' plugins.
  std::vector<std::string> training(std::vector<std::string> settings) {
    std::vector<std::string> words = {
        "train", toy(),           "--model",           "markov", "--run-dir",
        "run",   "--plugin-path", RECLOOM_FIXTURE_DIR, "--set",  kMetricSetting};
    for (std::string& setting : settings) words.insert(words.end(), {"--set", std::move(setting)});
    return words;
  }
  double metric(const std::string& factor) {
    std::filesystem::remove_all(folder.path() / "run");
    return json_of(
        training({"eval.metric_params.good_metric.factor=" + factor}))["test"]["good_metric@10"];
  }
  void expect_refused(const std::vector<std::string>& settings, const std::string& text) {
    const ProgramResult result = recloom(training(settings));
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(lines_of(result.err), 1);
    EXPECT_THAT(result.err, HasSubstr(text));
  }
  static constexpr const char* kMetricSetting = "eval.metrics=[\"good_metric\"]";
};

TEST_F(PluginParams, ReachTheMetricAndAreKept) {
  const double twice = metric("2.0"), thrice = metric("3.0");
  EXPECT_GT(twice, 0);
  EXPECT_DOUBLE_EQ(thrice, 1.5 * twice);
  EXPECT_THAT(read_text(folder.path() / "run/config.toml"), HasSubstr("factor = 3.0"));
  // They belong to the protocol, and an evaluation of the model has them again.
  const Json report = Json::parse(read_text(folder.path() / "run/report.json"));
  EXPECT_EQ(report["protocol"]["eval"]["metric_params"]["good_metric"]["factor"], 3.0);
  const Json again = json_of({"evaluate", "run", toy(), "--plugin-path", RECLOOM_FIXTURE_DIR});
  EXPECT_DOUBLE_EQ(again["test"]["good_metric@10"], thrice);
}

TEST_F(PluginParams, ReachTheSampler) {
  const ProgramResult result =
      recloom(training({"train.sampler=good_sampler", "train.sampler_params.last=2",
                        "train.loss=BPR", "eval.metrics=[\"ndcg\"]"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(read_text(folder.path() / "run/config.toml"), HasSubstr("last = 2"));
}

TEST_F(PluginParams, AreCheckedBeforeTheDataIsRead) {
  expect_refused({"eval.metric_params.good_metric.factr=1.0"},
                 "unknown key 'eval.metric_params.good_metric.factr', did you mean "
                 "'eval.metric_params.good_metric.factor'?");
  expect_refused({"eval.metric_params.good_metric.factor=11.0"},
                 "eval.metric_params.good_metric.factor = 11.0: must be a number from 0 to 10");
  expect_refused({"eval.metric_params.good_mteric.factor=1.0"},
                 "eval.metrics names no metric 'good_mteric' of a plugin, did you mean "
                 "'good_metric'?");
  expect_refused({"eval.metric_params.good_metric=1"},
                 "eval.metric_params.good_metric: must be eval.metric_params.<metric>.<parameter>");
  expect_refused(
      {"train.sampler_params.last=2"},
      "train.sampler_params.last: train.sampler = 'uniform' is no plugin and takes none");
  expect_refused({"train.sampler=good_sampler", "train.sampler_params.first=2"},
                 "unknown key 'train.sampler_params.first'");
}

TEST_F(PluginParams, AreDescribedAsTheyAreSet) {
  const ProgramResult metric =
      recloom({"plugins", "describe", "good_metric", "--plugin-path", RECLOOM_FIXTURE_DIR});
  EXPECT_THAT(metric.out, HasSubstr("eval.metric_params.good_metric.factor"));
  const ProgramResult sampler =
      recloom({"plugins", "describe", "good_sampler", "--plugin-path", RECLOOM_FIXTURE_DIR});
  EXPECT_THAT(sampler.out, HasSubstr("train.sampler_params.last"));
}

}  // namespace
}  // namespace recloom::testing
