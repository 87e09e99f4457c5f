#include "train/checkpoint.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "recloom/core/error.hpp"
#include "support/support.hpp"
#include "train/fake_stepper.hpp"

namespace recloom {
namespace {

using testing::FakeStepper;
using testing::TemporaryFolder;

TrainState some_state() {
  TrainState state;
  state.epoch = 3;
  state.step_in_epoch = 17;
  state.steps = 57;
  state.rows = 1234567890123;
  state.loss_sum = 0.1 + 0.2;
  state.penalty_sum = 1e-300;
  state.learning_rate = 1.0 / 3;
  state.best_epoch = 2;
  state.best_valid = 0.19999999999999998;
  state.failures = 4;
  EpochReport epoch;
  epoch.epoch = 1;
  epoch.loss = 7.123456789012345;
  epoch.penalty = 0.5;
  epoch.learning_rate = 0.1;
  epoch.valid = {{"ndcg@10", 2.0 / 3}, {"gauc", std::numeric_limits<double>::quiet_NaN()}};
  epoch.best = true;
  epoch.seconds = 12.5;
  state.history = {epoch};
  return state;
}

void write(const std::string& file, const RunIdentity& identity = {{"train.loss", "\"CE\""}}) {
  const FakeStepper stepper;
  const std::vector<std::vector<float>> best = {{9, 8, 7, 6}, {1, 1, 1, 1, 1, 1}};
  write_checkpoint(file, some_state(), identity, stepper.parameters(), stepper.optimizer_state(),
                   best);
}

template <class Exception>
std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Checkpoint, GivesBackWhatWasWrittenToTheLastBit) {
  const TemporaryFolder folder;
  write(folder.file("c.safetensors"));
  const Checkpoint read = Checkpoint::read(folder.file("c.safetensors"));
  const TrainState expected = some_state();
  EXPECT_EQ(read.state.epoch, expected.epoch);
  EXPECT_EQ(read.state.step_in_epoch, expected.step_in_epoch);
  EXPECT_EQ(read.state.steps, expected.steps);
  EXPECT_EQ(read.state.rows, expected.rows);
  EXPECT_EQ(read.state.loss_sum, expected.loss_sum);
  EXPECT_EQ(read.state.penalty_sum, expected.penalty_sum);
  EXPECT_EQ(read.state.learning_rate, expected.learning_rate);
  EXPECT_EQ(read.state.best_epoch, expected.best_epoch);
  EXPECT_EQ(read.state.best_valid, expected.best_valid);
  EXPECT_EQ(read.state.failures, expected.failures);
  ASSERT_EQ(read.state.history.size(), 1U);
  const EpochReport& epoch = read.state.history[0];
  EXPECT_EQ(epoch.loss, expected.history[0].loss);
  EXPECT_EQ(epoch.penalty, 0.5);
  EXPECT_EQ(epoch.learning_rate, 0.1);
  EXPECT_TRUE(epoch.best);
  EXPECT_EQ(epoch.valid.at("ndcg@10"), 2.0 / 3);
  EXPECT_TRUE(std::isnan(epoch.valid.at("gauc")));
  EXPECT_EQ(epoch.seconds, 0) << "times must not get into the file";
  EXPECT_EQ(read.identity, (RunIdentity{{"train.loss", "\"CE\""}}));
  EXPECT_EQ(read.tensor("parameter.w", 4)[1], -2);
  EXPECT_EQ(read.tensor("best.w", 4)[0], 9);
  EXPECT_EQ(read.tensor("optimizer.w.momentum", 4)[3], 0);
}

TEST(Checkpoint, SaysWhichTensorDoesNotFit) {
  const TemporaryFolder folder;
  write(folder.file("c.safetensors"));
  const Checkpoint read = Checkpoint::read(folder.file("c.safetensors"));
  const auto missing = message_of<IoError>([&] { read.tensor("parameter.v", 4); });
  EXPECT_NE(missing.find("has no tensor parameter.v"), std::string::npos) << missing;
  const auto size = message_of<IoError>([&] { read.tensor("parameter.w", 5); });
  EXPECT_NE(size.find("parameter.w has 4 values, the model needs 5"), std::string::npos) << size;
}

TEST(Checkpoint, RefusesWhatIsMissingOrNoCheckpoint) {
  const TemporaryFolder folder;
  const std::string file = folder.file("c.safetensors");
  const auto missing = message_of<IoError>([&] { Checkpoint::read(file); });
  EXPECT_EQ(missing, "no checkpoint to resume from: " + file + " does not exist");
  write_safetensors(file, {}, {{"format", "recloom-model-1"}});
  const auto other = message_of<IoError>([&] { Checkpoint::read(file); });
  EXPECT_NE(other.find("is no checkpoint (format 'recloom-model-1'"), std::string::npos) << other;
  folder.write("c.safetensors", "not a checkpoint at all");
  EXPECT_THROW(Checkpoint::read(file), IoError);
}

TEST(Checkpoint, RefusesCutsAndFlippedBytes) {
  const TemporaryFolder folder;
  write(folder.file("c.safetensors"));
  const std::string good = testing::read_text(folder.file("c.safetensors"));
  for (std::size_t at = 0; at < good.size(); at += 7) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    folder.write("bad.safetensors", bad);
    EXPECT_THROW(Checkpoint::read(folder.file("bad.safetensors")), IoError) << "byte " << at;
    if (at % 5 != 0) continue;
    folder.write("bad.safetensors", good.substr(0, at));
    EXPECT_THROW(Checkpoint::read(folder.file("bad.safetensors")), IoError) << "cut at " << at;
  }
}

TEST(RunIdentity, LeavesOutWhatOnlySaysHowFarToGo) {
  const Params config{{"train.epochs", std::int64_t{5}},
                      {"train.max_steps", std::int64_t{0}},
                      {"train.checkpoint_minutes", std::int64_t{5}},
                      {"train.loss", std::string("CE")}};
  TrainOptions options;
  EXPECT_EQ(make_identity(config, options, 7, "abc"),
            (RunIdentity{{"dataset hash", "abc"}, {"seed", "7"}, {"train.loss", "\"CE\""}}));
  options.schedule = Schedule::linear;
  EXPECT_EQ(make_identity(config, options, 7, "abc").count("train.epochs"), 1U)
      << "the learning rate depends on it";
}

TEST(CheckResumable, NamesWhatDiffers) {
  const TemporaryFolder folder;
  const std::string file = folder.file("c.safetensors");
  write(file, {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"e", "5"}});
  const Checkpoint read = Checkpoint::read(file);
  EXPECT_NO_THROW(check_resumable(file, read, read.identity, 3));
  const auto one = message_of<ConfigError>([&] {
    check_resumable(file, read, {{"a", "1"}, {"b", "20"}, {"c", "3"}, {"e", "5"}}, 3);
  });
  EXPECT_EQ(one, "cannot resume from " + file + " with another config: b was 2, now 20");
  const auto many = message_of<ConfigError>([&] {
    check_resumable(file, read, {{"a", "0"}, {"d", "4"}}, 3);
  });
  EXPECT_EQ(many, "cannot resume from " + file +
                      " with another config: a was 1, now 0; b was 2, now not set; c was 3, now "
                      "not set; and 2 more");
}

TEST(CheckResumable, RefusesFewerEpochsThanHaveBegun) {
  const TemporaryFolder folder;
  const std::string file = folder.file("c.safetensors");
  write(file);
  const Checkpoint read = Checkpoint::read(file);
  EXPECT_NO_THROW(check_resumable(file, read, read.identity, 4));
  const auto fewer =
      message_of<ConfigError>([&] { check_resumable(file, read, read.identity, 2); });
  EXPECT_EQ(fewer, "cannot resume from " + file + ": train.epochs = 2, but epoch 3 has begun");
}

}  // namespace
}  // namespace recloom
