#include "train/checkpoint.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "recloom/core/error.hpp"
#include "support/support.hpp"
#include "train/fake_stepper.hpp"

namespace recloom {
namespace {

using testing::FakeStepper;
using testing::TemporaryFolder;

TrainState some_state() {
  TrainState state;
  state.epoch = 4;
  state.step_in_epoch = 17;
  state.steps = 57;
  state.rows = 1234567890123;
  state.loss_sum = 0.1 + 0.2;
  state.penalty_sum = 1e-300;
  state.learning_rate = 1.0 / 3;
  state.best_epoch = 1;
  state.best_valid = 0.19999999999999998;
  state.failures = 2;
  EpochReport epoch;
  epoch.epoch = 1;
  epoch.loss = 7.123456789012345;
  epoch.penalty = 0.5;
  epoch.learning_rate = 0.1;
  epoch.valid = {{"ndcg@10", 2.0 / 3}, {"gauc", std::numeric_limits<double>::quiet_NaN()}};
  epoch.best = true;
  epoch.seconds = 12.5;
  state.history = {epoch};
  epoch.best = false;
  for (epoch.epoch = 2; epoch.epoch < 4; ++epoch.epoch) state.history.push_back(epoch);
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
  ASSERT_EQ(read.state.history.size(), 3U);
  const EpochReport& epoch = read.state.history[0];
  EXPECT_EQ(epoch.loss, expected.history[0].loss);
  EXPECT_EQ(epoch.penalty, 0.5);
  EXPECT_EQ(epoch.learning_rate, 0.1);
  EXPECT_TRUE(epoch.best);
  EXPECT_EQ(epoch.valid.at("ndcg@10"), 2.0 / 3);
  EXPECT_TRUE(std::isnan(epoch.valid.at("gauc")));
  EXPECT_EQ(epoch.seconds, 0) << "times must not get into the file";
  EXPECT_EQ(read.identity, (RunIdentity{{"train.loss", "\"CE\""}}));
  EXPECT_EQ(read.tensor("parameter.w", {4})[1], -2);
  EXPECT_EQ(read.tensor("best.w", {4})[0], 9);
  EXPECT_EQ(read.tensor("optimizer.w.momentum", {4})[3], 0);
}

TEST(Checkpoint, SaysWhichTensorDoesNotFit) {
  const TemporaryFolder folder;
  const std::string file = folder.file("c.safetensors");
  write(file);
  const Checkpoint read = Checkpoint::read(file);
  const std::string damaged = "checkpoint " + file + " is damaged: ";
  EXPECT_EQ(message_of<IoError>([&] { read.tensor("parameter.v", {4}); }),
            damaged + "it has no tensor parameter.v");
  EXPECT_EQ(message_of<IoError>([&] {
              read.tensor("parameter.w", {2, 2});
            }),
            damaged + "tensor parameter.w has shape [4], the model needs [2, 2]");
  const FakeStepper stepper;
  EXPECT_NO_THROW(read.check_complete(stepper.parameters(), stepper.optimizer_state()));
  EXPECT_EQ(message_of<IoError>([&] { read.check_complete(stepper.parameters(), {}); }),
            damaged + "it has a tensor 'optimizer.w.momentum', which the model does not");
}

TEST(Checkpoint, RefusesNumbersThatAreNotFinite) {
  const TemporaryFolder folder;
  const std::string file = folder.file("c.safetensors");
  FakeStepper stepper;
  stepper.w[2] = std::numeric_limits<float>::infinity();
  write_checkpoint(file, some_state(), {}, stepper.parameters(), stepper.optimizer_state(), {});
  const Checkpoint read = Checkpoint::read(file);
  EXPECT_EQ(message_of<IoError>([&] { read.tensor("parameter.w", {4}); }),
            "checkpoint " + file + " is damaged: tensor parameter.w holds inf at 2");
}

/// A checkpoint with right hashes whose state is that of `some_state` but for one field.
struct Wrong {
  const char* field;
  const char* value;
  const char* reason;
};
class WrongState : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongState, IsRefusedByName) {
  const TemporaryFolder folder;
  const std::string file = folder.file("c.safetensors");
  write(file);
  std::map<std::string, std::string> metadata = SafetensorsFile(file).metadata();
  Json state = Json::parse(metadata.at("state"));
  state[Json::json_pointer(GetParam().field)] = Json::parse(GetParam().value);
  metadata["state"] = state.dump();
  write_safetensors(file, {}, metadata);
  EXPECT_EQ(message_of<IoError>([&] { Checkpoint::read(file); }),
            "checkpoint " + file + " is damaged: " + GetParam().reason);
}

INSTANTIATE_TEST_SUITE_P(
    Fields, WrongState,
    ::testing::Values(
        Wrong{"/epoch", "-3", "epoch = -3: must be an integer from 1 to 2147483647"},
        Wrong{"/epoch", "0", "epoch = 0: must be an integer from 1 to 2147483647"},
        Wrong{"/epoch", "4294967300",
              "epoch = 4294967300: must be an integer from 1 to 2147483647"},
        Wrong{"/epoch", "3", "history has 3 epochs, epoch 3 comes after 2"},
        Wrong{"/epoch", "2147483647",
              "history has 3 epochs, epoch 2147483647 comes after 2147483646"},
        Wrong{"/step_in_epoch", "-5",
              "step_in_epoch = -5: must be an integer from 0 to 9223372036854775807"},
        Wrong{"/step_in_epoch", "18446744073709551615",
              "step_in_epoch = 18446744073709551615: must be an integer from 0 to "
              "9223372036854775807"},
        Wrong{"/steps", "-7", "steps = -7: must be an integer from 0 to 9223372036854775807"},
        Wrong{"/rows", "-5", "rows = -5: must be an integer from 0 to 9223372036854775807"},
        Wrong{"/loss_sum", "null", "loss_sum = null: must be a number"},
        Wrong{"/loss_sum", "1e308",
              "loss_sum = 1e+308: must be at most 4.201016587356319e+50 for 1234567890123 rows"},
        Wrong{"/learning_rate", "-0.1", "learning_rate = -0.1: must be at least 0"},
        Wrong{"/best_epoch", "5", "best_epoch = 5: must be 1, by its history"},
        Wrong{"/best_epoch", "-1", "best_epoch = -1: must be an integer from 0 to 2147483647"},
        Wrong{"/failures", "-2147483648",
              "failures = -2147483648: must be an integer from 0 to 2147483647"},
        Wrong{"/failures", "1", "failures = 1: must be 2, by its history"},
        Wrong{"/history", "{}", "history = {}: must be a list"},
        Wrong{"/history/1", "3", "history[1] is no object"},
        Wrong{"/history/1/epoch", "3", "history[1].epoch = 3: must be 2"},
        Wrong{"/history/2/best", "1", "history[2].best = 1: must be true or false"},
        Wrong{"/history/0/loss", "null", "history[0].loss = null: must be a number"},
        Wrong{"/history/0/valid/gauc", "\"x\"",
              "history[0].valid.gauc = \"x\": must be a number"}));

TEST(Checkpoint, RefusesDamagedDocuments) {
  const TemporaryFolder folder;
  const std::string file = folder.file("c.safetensors");
  write(file);
  const std::map<std::string, std::string> good = SafetensorsFile(file).metadata();
  const auto reason = [&](const char* key, const std::string& text) {
    std::map<std::string, std::string> metadata = good;
    metadata[key] = text;
    write_safetensors(file, {}, metadata);
    return message_of<IoError>([&] { Checkpoint::read(file); });
  };
  const std::string damaged = "checkpoint " + file + " is damaged: ", deep(300000, '[');
  EXPECT_EQ(reason("identity", "{\"a\":" + deep),
            damaged + "values are nested deeper than 32 times");
  EXPECT_EQ(reason("state", deep), damaged + "values are nested deeper than 32 times");
  EXPECT_EQ(reason("identity", "{\"a\":1}"), damaged + "a = 1: must be a text");
  EXPECT_EQ(reason("identity", "[]"), damaged + "the document is no object");
  EXPECT_EQ(reason("state", "{}"), damaged + "epoch is missing");
  EXPECT_EQ(reason("state", "{"), damaged + "it is no JSON (byte 2)");
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
  EXPECT_NO_THROW(check_resumable(file, read, read.identity));
  const auto one = message_of<ConfigError>([&] {
    check_resumable(file, read, {{"a", "1"}, {"b", "20"}, {"c", "3"}, {"e", "5"}});
  });
  EXPECT_EQ(one, "cannot resume from " + file + " with another config: b was 2, now 20");
  const auto many = message_of<ConfigError>([&] {
    check_resumable(file, read, {{"a", "0"}, {"d", "4"}});
  });
  EXPECT_EQ(many, "cannot resume from " + file +
                      " with another config: a was 1, now 0; b was 2, now not set; c was 3, now "
                      "not set; and 2 more");
}

}  // namespace
}  // namespace recloom
