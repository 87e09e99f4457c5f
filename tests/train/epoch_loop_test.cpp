#include "train/epoch_loop.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/json.hpp"
#include "recloom/core/error.hpp"
#include "support/loose_safetensors.hpp"
#include "support/support.hpp"
#include "train/fake_stepper.hpp"
#include "train/toy_rows.hpp"

namespace recloom {
namespace {

using testing::FakeStepper;
using testing::TemporaryFolder;
using testing::ToyRows;

/// One training run of a FakeStepper over 21 rows in batches of 8: 3 steps an epoch.
struct Scenario {
  ToyRows toy{7, 4, 9};
  RowFeed feed{toy.rows(), {.batch_size = 8}, nullptr};
  FakeStepper stepper;
  TrainOptions options;
  TrainCallbacks callbacks;
  RunContext context{3, 1};
  std::string file;
  RunIdentity identity = {{"train.loss", "\"CE\""}};
  std::vector<double> valid;  ///< Value of "ndcg@10" by epoch; empty: no validation part.
  bool higher_is_better = true;
  std::function<void(int epoch)> before_validation;

  explicit Scenario(int epochs) { options.epochs = epochs; }

  TrainReport run(bool resume = false) {
    LoopSetup setup{.stepper = stepper,
                    .feed = feed,
                    .options = options,
                    .callbacks = callbacks,
                    .identity = identity,
                    .checkpoint_file = file,
                    .validate = {},
                    .higher_is_better = higher_is_better};
    if (!valid.empty()) {
      setup.validate = [this](int epoch) {
        if (before_validation) before_validation(epoch);
        return std::map<std::string, double>{
            {"ndcg@10", valid.at(static_cast<std::size_t>(epoch - 1))}};
      };
    }
    EpochLoop loop(std::move(setup), context);
    if (resume) loop.resume();
    return loop.run();
  }
  void stop_in(std::int64_t step) {
    stepper.before_step = [this, step](std::int64_t now) {
      if (now == step) context.request_stop();
    };
  }
  /// A step, or an evaluation, that notices a stop request does not come to its end.
  void stop_amid(std::int64_t step) {
    stepper.before_step = [this, step](std::int64_t now) {
      if (now == step) interrupt();
    };
  }
  void stop_in_validation(int epoch) {
    before_validation = [this, epoch](int now) {
      if (now == epoch) interrupt();
    };
  }
  void interrupt() {
    context.request_stop();
    context.check_stop();
  }
  void fail_at(std::int64_t step) {
    stepper.before_step = [step](std::int64_t now) {
      if (now == step) throw NumericError("loss is nan at step " + std::to_string(now));
    };
  }
};

void expect_same(const TrainReport& report, const TrainReport& expected) {
  EXPECT_EQ(report.stop, expected.stop);
  EXPECT_EQ(report.epochs_run, expected.epochs_run);
  EXPECT_EQ(report.best_epoch, expected.best_epoch);
  EXPECT_EQ(report.best_valid, expected.best_valid);
  EXPECT_EQ(report.steps, expected.steps);
  EXPECT_EQ(report.rows, expected.rows);
  ASSERT_EQ(report.history.size(), expected.history.size());
  for (std::size_t epoch = 0; epoch < report.history.size(); ++epoch) {
    EXPECT_EQ(report.history[epoch].epoch, expected.history[epoch].epoch);
    EXPECT_EQ(report.history[epoch].loss, expected.history[epoch].loss);
    EXPECT_EQ(report.history[epoch].penalty, expected.history[epoch].penalty);
    EXPECT_EQ(report.history[epoch].learning_rate, expected.history[epoch].learning_rate);
    EXPECT_EQ(report.history[epoch].valid, expected.history[epoch].valid);
    EXPECT_EQ(report.history[epoch].best, expected.history[epoch].best);
  }
}

TEST(EpochLoop, RunsAllEpochsAndAveragesOverRows) {
  Scenario scenario(2);
  const TrainReport report = scenario.run();
  EXPECT_EQ(report.stop, StopReason::finished);
  EXPECT_EQ(report.epochs_run, 2);
  EXPECT_EQ(report.steps, 6);
  EXPECT_EQ(report.rows, 42);
  EXPECT_EQ(report.rows_here, 42);
  EXPECT_FALSE(report.best_epoch);
  ASSERT_EQ(report.history.size(), 2U);
  // The fake's loss of a row is its id: 7 users of 4 events, rows at events 1, 2, 3 of each, so the
  // mean is 4 * 3 + 2 = 14, though the last batch of an epoch has 5 rows and the others 8.
  EXPECT_NEAR(report.history[0].loss, 14, 1e-12);
  EXPECT_NEAR(report.history[1].loss, 14, 1e-12);
  EXPECT_NEAR(report.history[0].penalty, 2, 1e-12);
  EXPECT_TRUE(report.history[0].valid.empty());
}

TEST(EpochLoop, ReportsProgressAfterEveryStep) {
  Scenario scenario(1);
  std::vector<std::int64_t> rows;
  scenario.callbacks.on_progress = [&](const TrainProgress& progress) {
    rows.push_back(progress.rows);
    EXPECT_EQ(progress.steps_in_epoch, 3);
    EXPECT_EQ(progress.rows_in_epoch, 21);
    EXPECT_GE(progress.eta_seconds, 0);
  };
  scenario.run();
  EXPECT_EQ(rows, (std::vector<std::int64_t>{8, 16, 21}));
}

TEST(EpochLoop, StopsWhenExactValuesNoLongerImprove) {
  Scenario scenario(100);
  scenario.options.patience = 2;
  // A tie is no improvement: epochs 3, 4, 5 fail, and three failures exceed a patience of two.
  scenario.valid = {0.1, 0.3, 0.3, 0.3, 0.3, 9};
  const TrainReport report = scenario.run();
  EXPECT_EQ(report.stop, StopReason::early_stop);
  EXPECT_EQ(report.epochs_run, 5);
  EXPECT_EQ(report.best_epoch, 2);
  EXPECT_EQ(report.best_valid, 0.3);
}

TEST(EpochLoop, StopsByRecBolesRuleAtTheEleventhFailure) {
  Scenario scenario(100);
  scenario.options.round_before_early_stop = true;
  // 0.20001 ties with 0.20004 when rounded and counts as improvement; 0.1999 does not.
  scenario.valid = {0.20004, 0.20001};
  scenario.valid.resize(100, 0.1999);
  const TrainReport report = scenario.run();
  EXPECT_EQ(report.stop, StopReason::early_stop);
  EXPECT_EQ(report.epochs_run, 13);
  EXPECT_EQ(report.best_epoch, 2);
  EXPECT_EQ(report.best_valid, 0.20001) << "the exact value is kept";
}

TEST(EpochLoop, GoesOnAfterTenFailuresByRecBolesRule) {
  Scenario scenario(12);
  scenario.options.round_before_early_stop = true;
  scenario.valid = {0.2};
  scenario.valid.resize(11, 0.1);
  scenario.valid.push_back(0.2);  // the eleventh after the best: a tie, so the counter is reset
  const TrainReport report = scenario.run();
  EXPECT_EQ(report.stop, StopReason::finished);
  EXPECT_EQ(report.best_epoch, 12);
}

TEST(EpochLoop, MinimisesMetricsOfWhichLessIsBetter) {
  Scenario scenario(3);
  scenario.higher_is_better = false;
  scenario.valid = {0.5, 0.4, 0.6};
  EXPECT_EQ(scenario.run().best_epoch, 2);
}

TEST(EpochLoop, EvaluatesEveryNthEpoch) {
  Scenario scenario(5);
  scenario.options.eval_every = 2;
  scenario.valid = {9, 0.1, 9, 0.2, 9};
  const TrainReport report = scenario.run();
  EXPECT_EQ(report.best_epoch, 4);
  EXPECT_TRUE(report.history[0].valid.empty());
  EXPECT_EQ(report.history[1].valid.at("ndcg@10"), 0.1);
  EXPECT_TRUE(report.history[4].valid.empty());
}

TEST(EpochLoop, LeavesTheBestParametersBehind) {
  Scenario best(2);
  best.run();
  Scenario scenario(4);
  scenario.valid = {0.1, 0.3, 0.2, 0.3};
  scenario.run();
  EXPECT_EQ(scenario.stepper.w, best.stepper.w);
  EXPECT_EQ(scenario.stepper.table, best.stepper.table);
}

TEST(EpochLoop, LeavesTheLastParametersWithoutValidation) {
  Scenario two(2);
  two.run();
  Scenario three(3);
  three.run();
  EXPECT_NE(two.stepper.w, three.stepper.w);
  Scenario never(3);
  never.options.eval_every = 0;
  never.valid = {0.9, 0.1, 0.1};
  EXPECT_FALSE(never.run().best_epoch);
  EXPECT_EQ(never.stepper.w, three.stepper.w);
}

TEST(EpochLoop, StopsInMidEpochAtMaxSteps) {
  Scenario scenario(9);
  scenario.options.max_steps = 4;
  const TrainReport report = scenario.run();
  EXPECT_EQ(report.stop, StopReason::max_steps);
  EXPECT_EQ(report.steps, 4);
  EXPECT_EQ(report.rows, 29);
  EXPECT_EQ(report.epochs_run, 1);
}

TEST(EpochLoop, FinishesAnEpochThatMaxStepsJustCompletes) {
  Scenario scenario(9);
  scenario.options.max_steps = 3;
  scenario.valid = {0.5};
  const TrainReport report = scenario.run();
  EXPECT_EQ(report.stop, StopReason::max_steps);
  EXPECT_EQ(report.epochs_run, 1);
  EXPECT_EQ(report.best_epoch, 1);
}

/// The run that the resumed ones below are compared with: 4 epochs, best the second.
struct Uninterrupted {
  TemporaryFolder folder;
  Scenario scenario{4};
  TrainReport report;
  std::string bytes;
  Uninterrupted() {
    scenario.file = folder.file("c.safetensors");
    scenario.valid = {0.1, 0.3, 0.2, 0.3};
    report = scenario.run();
    bytes = testing::read_text(scenario.file);
  }
};

/// Resume what `first` has left and compare with a run that was not interrupted.
void expect_goes_on(const Scenario& first, const TrainReport& cut, const Uninterrupted& expected) {
  EXPECT_EQ(cut.stop, StopReason::interrupted);
  Scenario second(4);
  second.file = first.file;
  second.valid = first.valid;
  std::size_t known = 0;
  second.callbacks.on_resume = [&](std::span<const EpochReport> epochs) { known = epochs.size(); };
  const TrainReport report = second.run(true);
  EXPECT_EQ(known, cut.history.size());
  EXPECT_EQ(report.rows_here, 84 - cut.rows) << "no step is made twice";
  expect_same(report, expected.report);
  EXPECT_EQ(second.stepper.w, expected.scenario.stepper.w);
  EXPECT_EQ(testing::read_text(second.file), expected.bytes);
}

TEST(EpochLoop, ResumesAfterAStopRequestAsIfNothingHadHappened) {
  const Uninterrupted expected;
  for (std::int64_t step = 1; step <= 12; ++step) {
    SCOPED_TRACE("stop requested in step " + std::to_string(step));
    const TemporaryFolder folder;
    Scenario first(4);
    first.file = folder.file("c.safetensors");
    first.valid = expected.scenario.valid;
    first.stop_in(step);
    const TrainReport cut = first.run();
    EXPECT_EQ(cut.steps, step);
    expect_goes_on(first, cut, expected);
  }
}

TEST(EpochLoop, ResumesAfterAStopInMidStepFromTheStepsBeginning) {
  const Uninterrupted expected;
  for (std::int64_t step = 1; step <= 12; ++step) {
    SCOPED_TRACE("stopped amid step " + std::to_string(step));
    const TemporaryFolder folder;
    Scenario first(4);
    first.file = folder.file("c.safetensors");
    first.valid = expected.scenario.valid;
    first.stop_amid(step);
    const TrainReport cut = first.run();
    EXPECT_EQ(cut.steps, step - 1);
    expect_goes_on(first, cut, expected);
  }
}

TEST(EpochLoop, ResumesAfterAStopInValidationWithTheValidation) {
  const Uninterrupted expected;
  for (int epoch = 1; epoch <= 4; ++epoch) {
    SCOPED_TRACE("stopped in the validation of epoch " + std::to_string(epoch));
    const TemporaryFolder folder;
    Scenario first(4);
    first.file = folder.file("c.safetensors");
    first.valid = expected.scenario.valid;
    first.stop_in_validation(epoch);
    const TrainReport cut = first.run();
    EXPECT_EQ(cut.steps, 3 * epoch);
    EXPECT_EQ(cut.epochs_run, epoch - 1);
    expect_goes_on(first, cut, expected);
  }
}

TEST(EpochLoop, IsCompleteIfTheStopComesAfterItsLastEpoch) {
  const Uninterrupted expected;
  Scenario scenario(4);
  const TemporaryFolder folder;
  scenario.file = folder.file("c.safetensors");
  scenario.valid = expected.scenario.valid;
  scenario.callbacks.on_epoch = [&](const EpochReport& epoch) {
    if (epoch.epoch == 4) scenario.context.request_stop();
  };
  expect_same(scenario.run(), expected.report);
}

TEST(EpochLoop, ResumesAfterAKillFromTheLastCheckpoint) {
  const Uninterrupted expected;
  for (std::int64_t step = 1; step <= 12; ++step) {
    SCOPED_TRACE("killed in step " + std::to_string(step));
    const TemporaryFolder folder;
    Scenario first(4);
    first.file = folder.file("c.safetensors");
    first.valid = expected.scenario.valid;
    first.fail_at(step);
    EXPECT_THROW(first.run(), NumericError);

    Scenario second(4);
    second.file = first.file;
    second.valid = first.valid;
    expect_same(second.run(true), expected.report);
    EXPECT_EQ(testing::read_text(second.file), expected.bytes);
  }
}

TEST(EpochLoop, ResumesAfterMaxStepsAndWithMoreEpochs) {
  const Uninterrupted expected;
  const TemporaryFolder folder;
  Scenario first(1);
  first.options.max_steps = 2;
  first.file = folder.file("c.safetensors");
  first.valid = expected.scenario.valid;
  EXPECT_EQ(first.run().stop, StopReason::max_steps);
  Scenario second(1);
  second.file = first.file;
  second.valid = first.valid;
  EXPECT_EQ(second.run(true).stop, StopReason::finished);
  Scenario third(4);
  third.file = first.file;
  third.valid = first.valid;
  expect_same(third.run(true), expected.report);
  EXPECT_EQ(testing::read_text(third.file), expected.bytes);
}

TEST(EpochLoop, HasNothingToDoWhenAFinishedRunIsResumed) {
  const Uninterrupted expected;
  Scenario again(4);
  again.file = expected.scenario.file;
  again.valid = expected.scenario.valid;
  const TrainReport report = again.run(true);
  EXPECT_EQ(report.rows_here, 0);
  expect_same(report, expected.report);
  EXPECT_EQ(again.stepper.w, expected.scenario.stepper.w);
  EXPECT_EQ(testing::read_text(again.file), expected.bytes);
}

TEST(EpochLoop, StaysStoppedWhenAnEarlyStoppedRunIsResumed) {
  const TemporaryFolder folder;
  Scenario first(9);
  first.file = folder.file("c.safetensors");
  first.options.patience = 0;
  first.valid = {0.3, 0.2};
  EXPECT_EQ(first.run().stop, StopReason::early_stop);
  Scenario second(20);
  second.file = first.file;
  second.options.patience = 0;
  second.valid = first.valid;
  const TrainReport report = second.run(true);
  EXPECT_EQ(report.stop, StopReason::early_stop);
  EXPECT_EQ(report.epochs_run, 2);
}

TEST(EpochLoop, SaysWhereTheLastGoodCheckpointIs) {
  const TemporaryFolder folder;
  Scenario scenario(4);
  scenario.file = folder.file("c.safetensors");
  scenario.fail_at(5);
  try {
    scenario.run();
    FAIL() << "nothing was thrown";
  } catch (const NumericError& error) {
    EXPECT_EQ(std::string(error.what()), "loss is nan at step 5; the last good checkpoint is " +
                                             scenario.file + " (epoch 2, step 0)");
  }
  Scenario without(1);
  without.fail_at(2);
  try {
    without.run();
    FAIL() << "nothing was thrown";
  } catch (const NumericError& error) {
    EXPECT_EQ(std::string(error.what()), "loss is nan at step 2; no checkpoint was written");
  }
}

TEST(EpochLoop, KeepsTheLastGoodCheckpointWhenAnUpdateOverflows) {
  const TemporaryFolder folder;
  Scenario scenario(4);
  scenario.file = folder.file("c.safetensors");
  std::string good;
  scenario.stepper.before_step = [&](std::int64_t step) {
    if (step != 6) return;  // the last of the second epoch
    good = testing::read_text(scenario.file);
    scenario.stepper.w[2] = std::numeric_limits<float>::infinity();
  };
  try {
    scenario.run();
    FAIL() << "nothing was thrown";
  } catch (const NumericError& error) {
    EXPECT_EQ(std::string(error.what()),
              "parameter w is not finite after step 6 (learning rate 0.001); the last good "
              "checkpoint is " +
                  scenario.file + " (epoch 2, step 0)");
  }
  EXPECT_EQ(testing::read_text(scenario.file), good);
}

// 2 epochs of 3 steps: 2 of warm-up, then 4 on a line from 1 to a half.
TEST(EpochLoop, FollowsTheScheduleOverAllEpochs) {
  Scenario scenario(2);
  scenario.options.learning_rate = 1;
  scenario.options.schedule = Schedule::linear;
  scenario.options.warmup_steps = 2;
  scenario.options.final_learning_rate = 0.5;
  const TrainReport report = scenario.run();
  EXPECT_EQ(scenario.stepper.learning_rates, (std::vector<double>{0.5, 1, 1, 0.875, 0.75, 0.625}));
  EXPECT_EQ(report.history[0].learning_rate, 1);
  EXPECT_EQ(report.history[1].learning_rate, 0.625);
}

TEST(EpochLoop, RefusesToResumeWithAnotherConfig) {
  const TemporaryFolder folder;
  Scenario first(1);
  first.file = folder.file("c.safetensors");
  first.run();
  const std::string before = testing::read_text(first.file);
  Scenario second(1);
  second.file = first.file;
  second.identity = {{"train.loss", "\"BPR\""}};
  EXPECT_THROW(second.run(true), ConfigError);
  EXPECT_EQ(testing::read_text(first.file), before);
}

// Steps and rows follow from the place in the epoch; what an optimizer or a sampler derives from
// them would be silently wrong.
TEST(EpochLoop, RefusesAPlaceThatTheRunCannotBeAt) {
  const TemporaryFolder folder;
  Scenario first(3);
  first.file = folder.file("c.safetensors");
  first.options.max_steps = 5;
  first.run();
  const testing::LooseFile good(first.file);
  const auto reason = [&](const char* field, std::int64_t value) {
    testing::LooseFile bad = good;
    Json state = Json::parse(bad.metadata.at("state"));
    state[field] = value;
    bad.metadata["state"] = state.dump();
    bad.write(first.file);
    Scenario second(3);
    second.file = first.file;
    try {
      second.run(true);
    } catch (const IoError& error) {
      return std::string(error.what());
    }
    return std::string("it was resumed");
  };
  const std::string damaged = "checkpoint " + first.file + " is damaged: ";
  EXPECT_EQ(reason("step_in_epoch", 4),
            damaged + "step_in_epoch = 4: must be at most 3, the steps of an epoch");
  EXPECT_EQ(reason("step_in_epoch", 1), damaged + "steps = 5: must be 4 in epoch 2, step 1");
  EXPECT_EQ(reason("steps", 7), damaged + "steps = 7: must be 5 in epoch 2, step 2");
  EXPECT_EQ(reason("steps", std::numeric_limits<std::int64_t>::max()),
            damaged + "steps = 9223372036854775807: must be 5 in epoch 2, step 2");
  EXPECT_EQ(reason("rows", 36), damaged + "rows = 36: must be 37 after 5 steps");
  EXPECT_EQ(reason("rows", 37), "it was resumed");
}

TEST(EpochLoop, RefusesOtherTensorsThanItsOwn) {
  const TemporaryFolder folder;
  Scenario first(2);
  first.file = folder.file("c.safetensors");
  first.options.max_steps = 2;
  first.run();
  const testing::LooseFile good(first.file);
  const auto refused = [&](const testing::LooseFile& bad) {
    bad.write(first.file);
    Scenario second(2);
    second.file = first.file;
    EXPECT_THROW(second.run(true), IoError);
  };
  testing::LooseFile more = good, fewer = good, bent = good, wild = good;
  more.tensors["parameter.v"] = good.tensors.at("parameter.w");
  refused(more);
  fewer.tensors.erase("optimizer.w.momentum");
  refused(fewer);
  bent.tensors.at("parameter.table").shape = {3, 2};
  refused(bent);
  wild.tensors.at("optimizer.w.momentum")
      .set(std::vector<float>{0, std::numeric_limits<float>::quiet_NaN(), 0, 0});
  refused(wild);
}

TEST(EpochLoop, FindsAFolderThatCannotBeWrittenBeforeTheFirstStep) {
  Scenario scenario(1);
  scenario.file = "/dev/null/c.safetensors";
  EXPECT_THROW(scenario.run(), IoError);
  EXPECT_EQ(scenario.stepper.optimizer_steps, 0);
}

}  // namespace
}  // namespace recloom
