#pragma once
#include <cstdint>
#include <string>

#include "recloom/config/param_schema.hpp"
#include "recloom/core/export.hpp"
#include "recloom/nn/optimizer_options.hpp"

namespace recloom {

using nn::Schedule;

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
  int chunk_rows = 128;     ///< chunks
  std::string loss = "CE";  ///< CE, BPR, BCE, gBCE, sampled_softmax
  int n_negatives = 1;      ///< All but CE.
  double gbce_t = 0.75;     ///< gBCE
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

  void describe(ParamSchema& schema);
  /// Check what no describe() has filled, and how values go together. @throws ConfigError naming
  /// the key.
  void validate() const;
};

}  // namespace recloom
