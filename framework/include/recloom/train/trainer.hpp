#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "recloom/config/params.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/dataset.hpp"
#include "recloom/data/sampler.hpp"
#include "recloom/eval/evaluator.hpp"
#include "recloom/eval/options.hpp"
#include "recloom/model/sequential_recommender.hpp"
#include "recloom/train/options.hpp"

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
  int epochs_run = 0;      ///< Complete ones, those before a resume included.
  int best_epoch = 0;      ///< 0: none was evaluated; the model is then the last state.
  double best_valid = 0;   ///< Exact value of train.valid_metric in best_epoch.
  std::int64_t steps = 0;  ///< Of the whole run, those before a resume included.
  std::int64_t rows = 0;   ///< Training rows of those steps; of a counter: the training rows.
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

/// What a training run needs to know beside the model and the data.
struct TrainJob {
  TrainOptions train;
  EvalOptions eval;
  std::vector<NamedMetric> metrics;    ///< Computed on the validation part.
  NegativeSampler* sampler = nullptr;  ///< Of a plugin; null: the built-in one of train.sampler.
  std::string checkpoint_file;         ///< "": no checkpoint is written.
  bool resume = false;                 ///< Go on from checkpoint_file.
  /// Everything that decides the result, resolved, under full key names (model.name,
  /// model.params.*, data.*, split.*, train.*, eval.*). A run may only be resumed with the same,
  /// but for train.max_steps, train.checkpoint_minutes and, unless the learning rate depends on it
  /// (train.schedule), train.epochs. Seed and dataset are added by the trainer.
  Params config;
  TrainCallbacks callbacks;
};

/// Return the values of train.sampler that need no plugin.
RECLOOM_API std::vector<std::string> builtin_sampler_names();

/// Train a model: fit(), then, for a model with traits().gradients, epochs of shuffled rows.
///
/// The model holds afterwards the parameters of the best epoch, or the last ones if none was
/// evaluated (no validation part, train.eval_every = 0, stopped before the first evaluation).
/// Parameters, losses, metrics and the bytes of the checkpoint depend on data, config and seed
/// alone: not on threads, not on interruptions. A checkpoint is written before the first step, at
/// the end of every epoch, every train.checkpoint_minutes, at a stop request and at
/// train.max_steps: a kill at any instant loses at most the steps since then. A counter writes none
/// and learns anew.
/// @throws ConfigError illegal combination of options; resumed with another config or dataset
/// @throws DataError no training rows
/// @throws ModelError a model with gradients that is no NetworkRecommender
/// @throws NumericError a value that is not finite; the message says where the last good
/// checkpoint is
/// @throws IoError checkpoint that is missing, damaged, or cannot be written
RECLOOM_API TrainReport train_model(SequentialRecommender& model, const Dataset& dataset,
                                    const TrainJob& job, RunContext& run);

}  // namespace recloom
