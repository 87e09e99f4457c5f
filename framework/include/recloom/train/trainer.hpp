#pragma once
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
#include "recloom/train/report.hpp"

namespace recloom {

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
