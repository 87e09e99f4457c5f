#include "train/epoch_loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "nn/optim/schedule.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Steps and rows follow from the place in the epoch, since every epoch has as many.
void check_place(const Checkpoint& checkpoint, const RowFeed& feed) {
  const TrainState& state = checkpoint.state;
  const std::int64_t n_steps = feed.n_steps(), epochs = state.epoch - 1;
  if (state.step_in_epoch > n_steps)
    checkpoint.fail(fmt::format("step_in_epoch = {}: must be at most {}, the steps of an epoch",
                                state.step_in_epoch, n_steps));
  const std::int64_t steps = epochs * n_steps + state.step_in_epoch;
  if (state.steps != steps)
    checkpoint.fail(fmt::format("steps = {}: must be {} in epoch {}, step {}", state.steps, steps,
                                state.epoch, state.step_in_epoch));
  const std::int64_t rows = epochs * feed.n_rows() + feed.rows_in(state.step_in_epoch);
  if (state.rows != rows)
    checkpoint.fail(fmt::format("rows = {}: must be {} after {} steps", state.rows, rows, steps));
}

}  // namespace

EpochLoop::EpochLoop(LoopSetup setup, RunContext& run)
    : setup_(std::move(setup)),
      run_(run),
      rule_{setup_.options.valid_metric, setup_.higher_is_better,
            setup_.options.round_before_early_stop, setup_.options.patience},
      checkpoint_time_(Clock::now()) {}

void EpochLoop::resume() {
  const Checkpoint checkpoint = Checkpoint::read(setup_.checkpoint_file);
  check_resumable(setup_.checkpoint_file, checkpoint, setup_.identity);
  check_place(checkpoint, setup_.feed);
  const std::vector<StateTensor> parameters = setup_.stepper.parameters();
  for (std::size_t index = 0; index < parameters.size(); ++index) {
    const StateTensor& tensor = parameters[index];
    setup_.stepper.assign_parameter(index,
                                    checkpoint.tensor("parameter." + tensor.name, tensor.shape));
    if (!checkpoint.state.best_epoch) continue;
    const auto best = checkpoint.tensor("best." + tensor.name, tensor.shape);
    best_.emplace_back(best.begin(), best.end());
  }
  const std::vector<StateTensor> optimizer = setup_.stepper.optimizer_state();
  for (std::size_t index = 0; index < optimizer.size(); ++index) {
    setup_.stepper.assign_optimizer_state(
        index, checkpoint.tensor("optimizer." + optimizer[index].name, optimizer[index].shape));
  }
  checkpoint.check_complete(parameters, optimizer);
  setup_.stepper.set_optimizer_steps(checkpoint.state.steps);
  state_ = checkpoint.state;
  checkpoint_note_ = position();
  if (setup_.callbacks.on_resume) setup_.callbacks.on_resume(state_.history);
}

TrainReport EpochLoop::run() {
  try {
    const StopReason stop = run_to_stop();
    restore_best();
    return make_report(stop);
  } catch (const NumericError& error) {
    throw NumericError(fmt::format("{}; {}", error.what(), last_checkpoint()));
  } catch (const PluginError& error) {
    throw PluginError(fmt::format("{}; {}", error.what(), last_checkpoint()));
  }
}

// The state is always that of a step boundary: a step, or the evaluation behind an epoch's last
// one, changes it only once it is through. So what was interrupted is begun again by a resumed run.
StopReason EpochLoop::run_to_stop() {
  try {
    return run_to_end();
  } catch (const Interrupted&) {
    if (checkpoint_note_ != position()) write_checkpoint();
    return StopReason::interrupted;
  }
}

StopReason EpochLoop::run_to_end() {
  // A checkpoint of the very start: a run can be resumed after a kill in its first epoch, and a
  // folder that cannot be written shows at once.
  if (checkpoint_note_.empty()) write_checkpoint();
  if (!all_done()) begin_epoch();
  const std::int64_t max_steps = setup_.options.max_steps;
  for (;;) {
    if (all_done()) {
      return rule_.exhausted(state_.failures) ? StopReason::early_stop : StopReason::finished;
    }
    run_.check_stop();
    const bool epoch_complete = state_.step_in_epoch == setup_.feed.n_steps();
    const bool enough = !epoch_complete && max_steps > 0 && state_.steps >= max_steps;
    if (enough) {
      write_checkpoint();
      return StopReason::max_steps;
    }
    if (epoch_complete) {
      finish_epoch();
      if (!all_done()) begin_epoch();
    } else {
      run_step();
    }
  }
}

bool EpochLoop::all_done() const {
  return state_.epoch > setup_.options.epochs || rule_.exhausted(state_.failures);
}

void EpochLoop::begin_epoch() {
  const auto start = Clock::now();
  setup_.feed.begin_epoch(state_.epoch, run_);
  epoch_seconds_ = seconds_since(start);
  epoch_rows_here_ = 0;
  seconds_ += epoch_seconds_;
}

double EpochLoop::learning_rate() const {
  const TrainOptions& options = setup_.options;
  const nn::ScheduleOptions schedule{.kind = options.schedule,
                                     .learning_rate = options.learning_rate,
                                     .warmup_steps = options.warmup_steps,
                                     .total_steps = options.epochs * setup_.feed.n_steps(),
                                     .final_share = options.final_learning_rate};
  return nn::learning_rate_at(schedule, state_.steps);
}

void EpochLoop::run_step() {
  const auto start = Clock::now();
  const double rate = learning_rate();
  const Batch batch = setup_.feed.batch(state_.step_in_epoch, run_);
  const nn::StepKey key{run_.seed(), static_cast<std::uint64_t>(state_.epoch), state_.steps + 1};
  const nn::StepResult result = setup_.stepper.run(batch, key, rate, run_);
  const auto n_rows = static_cast<std::int64_t>(batch.size());
  state_.loss_sum += result.loss * static_cast<double>(n_rows);
  state_.penalty_sum += result.penalty * static_cast<double>(n_rows);
  state_.learning_rate = rate;
  state_.rows += n_rows;
  ++state_.steps;
  ++state_.step_in_epoch;

  const double seconds = seconds_since(start);
  seconds_ += seconds;
  epoch_seconds_ += seconds;
  rows_here_ += n_rows;
  epoch_rows_here_ += n_rows;
  report_progress();
  const double minutes = setup_.options.checkpoint_minutes;
  if (minutes > 0 && state_.step_in_epoch < setup_.feed.n_steps() &&
      seconds_since(checkpoint_time_) > 60 * minutes) {
    write_checkpoint();
  }
}

void EpochLoop::report_progress() const {
  if (!setup_.callbacks.on_progress) return;
  TrainProgress progress;
  progress.epoch = state_.epoch;
  progress.epochs = setup_.options.epochs;
  progress.step = state_.step_in_epoch;
  progress.steps_in_epoch = setup_.feed.n_steps();
  progress.rows = setup_.feed.rows_in(state_.step_in_epoch);
  progress.rows_in_epoch = setup_.feed.n_rows();
  progress.loss = state_.loss_sum / static_cast<double>(progress.rows);
  if (epoch_seconds_ > 0) {
    progress.rows_per_second = static_cast<double>(epoch_rows_here_) / epoch_seconds_;
    progress.eta_seconds =
        static_cast<double>(progress.rows_in_epoch - progress.rows) / progress.rows_per_second;
  }
  setup_.callbacks.on_progress(progress);
}

void EpochLoop::finish_epoch() {
  const auto n_rows = static_cast<double>(setup_.feed.n_rows());
  EpochReport report;
  report.epoch = state_.epoch;
  report.loss = state_.loss_sum / n_rows;
  report.penalty = state_.penalty_sum / n_rows;
  report.learning_rate = state_.learning_rate;
  report.seconds = epoch_seconds_;
  const int every = setup_.options.eval_every;
  if (setup_.validate && every > 0 && state_.epoch % every == 0) note_validation(report);
  state_.history.push_back(report);
  ++state_.epoch;
  state_.step_in_epoch = 0;
  state_.loss_sum = 0;
  state_.penalty_sum = 0;
  write_checkpoint();
  if (setup_.callbacks.on_epoch) setup_.callbacks.on_epoch(report);
}

void EpochLoop::note_validation(EpochReport& report) {
  check_parameters();
  report.valid = setup_.validate(state_.epoch);
  const auto found = report.valid.find(setup_.options.valid_metric);
  if (found == report.valid.end()) {
    throw InternalError(fmt::format("evaluation gave no {}", setup_.options.valid_metric));
  }
  const double value = found->second;
  // The first value of all is the best so far, unless it is NaN.
  report.best = state_.best_epoch ? rule_.improves(value, state_.best_valid) : !std::isnan(value);
  if (!report.best) {
    ++state_.failures;
    return;
  }
  state_.best_epoch = state_.epoch;
  state_.best_valid = value;
  state_.failures = 0;
  keep_best();
}

void EpochLoop::keep_best() {
  const std::vector<StateTensor> parameters = setup_.stepper.parameters();
  best_.resize(parameters.size());
  for (std::size_t index = 0; index < parameters.size(); ++index) {
    best_[index].assign(parameters[index].values.begin(), parameters[index].values.end());
  }
}

void EpochLoop::restore_best() {
  for (std::size_t index = 0; index < best_.size(); ++index) {
    setup_.stepper.assign_parameter(index, best_[index]);
  }
}

// A step checks loss and gradients before its update, not what the update made of the parameters:
// that would show in the next step only, after the last good checkpoint was overwritten.
void EpochLoop::check_parameters() const {
  for (const StateTensor& tensor : setup_.stepper.parameters()) {
    if (std::ranges::all_of(tensor.values, [](float value) { return std::isfinite(value); })) {
      continue;
    }
    throw NumericError(fmt::format("parameter {} is not finite after step {} (learning rate {})",
                                   tensor.name, state_.steps, state_.learning_rate));
  }
}

void EpochLoop::write_checkpoint() {
  check_parameters();
  if (setup_.checkpoint_file.empty()) return;
  recloom::write_checkpoint(setup_.checkpoint_file, state_, setup_.identity,
                            setup_.stepper.parameters(), setup_.stepper.optimizer_state(), best_);
  checkpoint_note_ = position();
  checkpoint_time_ = Clock::now();
}

std::string EpochLoop::position() const {
  return fmt::format("epoch {}, step {}", state_.epoch, state_.step_in_epoch);
}

std::string EpochLoop::last_checkpoint() const {
  if (checkpoint_note_.empty()) return "no checkpoint was written";
  return fmt::format("the last good checkpoint is {} ({})", setup_.checkpoint_file,
                     checkpoint_note_);
}

TrainReport EpochLoop::make_report(StopReason stop) const {
  TrainReport report;
  report.stop = stop;
  report.epochs_run = static_cast<int>(state_.history.size());
  report.best_epoch = state_.best_epoch;
  report.best_valid = state_.best_valid;
  report.steps = state_.steps;
  report.rows = state_.rows;
  report.history = state_.history;
  report.seconds = seconds_;
  report.rows_here = rows_here_;
  if (seconds_ > 0) report.rows_per_second = static_cast<double>(rows_here_) / seconds_;
  return report;
}

}  // namespace recloom
