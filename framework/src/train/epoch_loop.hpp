#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/train/options.hpp"
#include "recloom/train/report.hpp"
#include "train/checkpoint.hpp"
#include "train/row_feed.hpp"
#include "train/stepper.hpp"
#include "train/stopping_rule.hpp"

namespace recloom {

/// What the loop is given; all references outlive it.
struct LoopSetup {
  Stepper& stepper;
  RowFeed& feed;
  const TrainOptions& options;
  const TrainCallbacks& callbacks;
  RunIdentity identity;
  std::string checkpoint_file;  ///< "": none.
  /// Return the validation part's metrics for the parameters as they are; empty: no validation.
  std::function<std::map<std::string, double>(int epoch)> validate;
  bool higher_is_better = true;  ///< options.valid_metric
};

/// Runs epochs: steps, evaluation, early stopping, checkpoints. One state machine whose whole state
/// is a TrainState and the stepper's tensors, so that a run can be cut at any step boundary.
class RECLOOM_API EpochLoop {
 public:
  EpochLoop(LoopSetup setup, RunContext& run);

  /// Take over state and tensors of a checkpoint. @throws ConfigError, IoError.
  void resume();
  /// Run until an end is reached or a stop is requested, which a checkpoint of the last step
  /// boundary then goes on from; the stepper holds the best parameters afterwards.
  /// @throws NumericError extended by where the last good checkpoint is.
  TrainReport run();

 private:
  using Clock = std::chrono::steady_clock;

  StopReason run_to_stop();
  StopReason run_to_end();
  void begin_epoch();
  void run_step();
  void finish_epoch();
  void note_validation(EpochReport& report);
  bool all_done() const;
  void check_parameters() const;
  void write_checkpoint();
  void keep_best();
  void restore_best();
  void report_progress() const;
  double learning_rate() const;
  std::string position() const;
  std::string last_checkpoint() const;
  TrainReport make_report(StopReason stop) const;

  LoopSetup setup_;
  RunContext& run_;
  StoppingRule rule_;
  TrainState state_;
  std::vector<std::vector<float>> best_;  ///< Parameters of state_.best_epoch.
  std::string checkpoint_note_;           ///< Where in the run the file on disk is.
  Clock::time_point checkpoint_time_;
  double seconds_ = 0, epoch_seconds_ = 0;  ///< Optimisation in this process.
  std::int64_t rows_here_ = 0, epoch_rows_here_ = 0;
};

}  // namespace recloom
