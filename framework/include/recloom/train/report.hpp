#pragma once
// What a training run says of itself: while it runs, after each epoch, and at its end.
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace recloom {

/// Where a run is, after a step.
struct TrainProgress {
  int epoch = 0;                              ///< 1, 2, ...
  int epochs = 0;                             ///< At most that many.
  std::int64_t step = 0, steps_in_epoch = 0;  ///< Steps of this epoch: done, and in all.
  std::int64_t rows = 0, rows_in_epoch = 0;   ///< The same in rows.
  double loss = 0;                            ///< Mean over the epoch's rows so far.
  double rows_per_second = 0;                 ///< Of this epoch, in this process.
  double eta_seconds = 0;                     ///< Until the epoch's last step.
};

/// What an epoch came to. All but `seconds` is the same on every machine of one instruction set,
/// for any number of threads, interrupted or not.
struct EpochReport {
  int epoch = 0;
  /// Mean over the epoch's rows (in nats for CE), without penalties. RecBole logs the sum of the
  /// batches' means instead, which grows with the number of batches.
  double loss = 0;
  double penalty = 0;        ///< Mean of the penalty terms, weighted by rows: loss + penalty is
                             ///< the mean of what was minimised.
  double learning_rate = 0;  ///< Of the epoch's last step.
  std::map<std::string, double> valid;  ///< Flat keys ("ndcg@10"); empty: not evaluated.
  bool best = false;                    ///< Improved on all epochs before.
  double seconds = 0;  ///< Optimisation alone; of a resumed epoch, the part of this process.
};

enum class StopReason : int {
  finished,     ///< All epochs done (a counter: its one look at the data).
  early_stop,   ///< The validation metric no longer improved.
  max_steps,    ///< train.max_steps reached.
  interrupted,  ///< Stop requested: the checkpoint goes on from here.
};

struct TrainReport {
  StopReason stop = StopReason::finished;
  int epochs_run = 0;             ///< Complete ones, those before a resume included.
  std::optional<int> best_epoch;  ///< None if none was evaluated: the model is the last state.
  double best_valid = 0;          ///< Exact value of train.valid_metric in best_epoch.
  std::int64_t steps = 0;         ///< Of the whole run, those before a resume included.
  std::int64_t rows = 0;  ///< Training rows of those steps; of a counter: the training rows.
  std::vector<EpochReport> history;  ///< Every complete epoch, those before a resume included.

  double seconds = 0;          ///< Of optimisation alone, in this process.
  std::int64_t rows_here = 0;  ///< Rows processed in this process.
  double rows_per_second = 0;  ///< rows_here / seconds; 0 if nothing was done.
};

/// All are optional and are called from the thread that trains.
struct TrainCallbacks {
  std::function<void(const TrainProgress&)> on_progress;  ///< After every step; throttle it.
  /// Once, before the first step of a resumed run: the epochs that the checkpoint knows (their
  /// `seconds` are 0). A log that lost a line to a kill can be completed from it.
  std::function<void(std::span<const EpochReport>)> on_resume;
  std::function<void(const EpochReport&)> on_epoch;  ///< After the epoch's checkpoint was written.
};

}  // namespace recloom
