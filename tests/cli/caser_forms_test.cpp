// Caser in RecBole's, its authors' and the paper's form, as presets.
#include "cli/program_test.hpp"

namespace recloom::testing {
namespace {

using ::testing::HasSubstr;

class CaserForms : public ProgramTest {
 protected:
  /// A training of two epochs on 20 users with 12 events each.
  ProgramResult train(const std::string& preset, const std::string& run,
                      const std::vector<std::string>& more = {}) {
    folder.write("log.inter", toy_log(20, 40, 12));
    std::vector<std::string> arguments = {"train", "log.inter", "--model", "caser",     "--preset",
                                          preset,  "--epochs",  "2",       "--run-dir", run};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return recloom(arguments);
  }
  std::string model_of(const std::string& run) {
    return read_text(folder.path() / run / "model.safetensors");
  }
};

TEST_F(CaserForms, TrainOnTheRowsTheySay) {
  // Of 12 events 10 train: 9 prefixes, or 10 - (5 + 3) + 1 = 3 windows of 5 items and 3 targets.
  const std::pair<const char*, const char*> rows[] = {{"recbole", "trained on 360 rows"},
                                                      {"author", "trained on 120 rows"},
                                                      {"paper", "trained on 120 rows"}};
  for (const auto& [preset, said] : rows) {
    const ProgramResult trained = train(preset, preset);
    EXPECT_EQ(trained.exit_code, 0) << trained.err;
    EXPECT_THAT(trained.out, HasSubstr(said)) << preset;
  }
}

TEST_F(CaserForms, GiveTheSameBytesForAnyNumberOfThreads) {
  for (const std::string preset : {"author", "paper"})
    for (const std::string batching : {"rows", "chunks"}) {
      const std::string name = preset + batching;
      for (const char* threads : {"1", "4"})
        ASSERT_EQ(train(preset, name + threads,
                        {"--threads", threads, "--set", "train.batching=" + batching, "--set",
                         "train.batch_size=16", "--set", "train.shard_rows=4"})
                      .exit_code,
                  0);
      EXPECT_EQ(model_of(name + "1"), model_of(name + "4")) << name;
    }
}

TEST_F(CaserForms, RefuseWhatDoesNotGoTogether) {
  const std::pair<const char*, const char*> settings[] = {
      {"train.batching=sequences", "train.rows = prefix"},
      {"train.loss=BPR", "legal: train.loss = BCE"},
      {"train.n_negatives=4000", "--set train.negatives_exclude=target"}};
  for (const auto& [setting, said] : settings) {
    const ProgramResult refused =
        train("author", "run", {"--set", setting, "--set", "train.distinct_negatives=true"});
    EXPECT_NE(refused.exit_code, 0) << setting;
    EXPECT_THAT(refused.err, HasSubstr(said));
  }
}

}  // namespace
}  // namespace recloom::testing
