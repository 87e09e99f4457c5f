#pragma once
#include <cstdint>
#include <string>

#include "recloom/config/param_schema.hpp"
#include "recloom/core/export.hpp"
#include "recloom/nn/convolution.hpp"
#include "recloom/nn/loss_reduction.hpp"
#include "recloom/nn/optimizer_options.hpp"

namespace recloom {

using nn::Convolution;
using nn::LossReduction;
using nn::Schedule;

/// Which rows a user's training events make. Of T targets (`train.n_targets`) each.
enum class TrainRows : std::int32_t {
  prefix,   ///< Of every event but the first, and the T - 1 behind it, if there are so many.
  windows,  ///< Those of them that see L items.
};
/// What the number of negatives is counted for.
enum class NegativesPer : std::int32_t { row, target };
/// What negatives are never drawn from: the row's targets, or all items that its user has in
/// training.
enum class NegativesExclude : std::int32_t { target, user };

/// How the training rows of an epoch are put together.
enum class Batching : std::int32_t {
  rows,       ///< Single rows in random order.
  chunks,     ///< The same rows, in runs of consecutive rows of one user.
  sequences,  ///< Runs whose rows look back to the beginning of the run, no further.
};

/// Keys `train.*`. Defaults are RecBole's (overall.yaml) where it has the key.
struct RECLOOM_API TrainOptions {
  int epochs = 300;
  int batch_size = 2048;
  int shard_rows = 256;  ///< Part of the config: results depend on it, not on threads.
  Batching batching = Batching::rows;
  int chunk_rows = 128;                              ///< chunks
  Convolution convolution = Convolution::automatic;  ///< Also where the model scores later.
  TrainRows rows = TrainRows::prefix;
  int n_targets = 1;        ///< T
  std::string loss = "CE";  ///< CE, BPR, BCE, gBCE, sampled_softmax
  LossReduction loss_reduction = LossReduction::mean;
  int n_negatives = 1;  ///< All but CE.
  NegativesPer negatives_per = NegativesPer::row;
  NegativesExclude negatives_exclude = NegativesExclude::target;
  bool distinct_negatives = false;
  double gbce_t = 0.75;  ///< gBCE
  std::string sampler = "uniform";
  double sampler_alpha = 1;  ///< popularity
  Params sampler_params;     ///< Of a plugin's sampler: keys train.sampler_params.<name>.
  nn::OptimizerKind optimizer = nn::OptimizerKind::adam;
  double learning_rate = 1e-3;
  double weight_decay = 0;
  double clip_norm = 0;  ///< 0: no clipping.
  Schedule schedule = Schedule::constant;
  int warmup_steps = 0;
  double final_learning_rate = 0;  ///< Where linear and cosine end, as a share of learning_rate.
  int eval_every = 1;              ///< Epochs; 0: never, no early stop.
  std::string valid_metric = "ndcg@10";
  int patience = 10;
  bool round_before_early_stop = false;
  int max_steps = 0;  ///< 0: no limit.
  int checkpoint_minutes = 5;

  /// How many negatives a row has.
  int negatives_of_row() const {
    return negatives_per == NegativesPer::target ? n_negatives * n_targets : n_negatives;
  }

  void describe(ParamSchema& schema);
  /// Check what no describe() has filled, and how values go together. @throws ConfigError naming
  /// the key.
  void validate() const;
};

}  // namespace recloom
