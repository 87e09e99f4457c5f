#include "train/step_options.hpp"

namespace recloom {

nn::StepOptions step_options(const TrainOptions& options) {
  nn::StepOptions step;
  step.loss = options.loss;
  step.reduction = options.loss_reduction;
  step.n_targets = options.n_targets;
  step.n_negatives = options.negatives_of_row();
  step.gbce_t = options.gbce_t;
  step.batch_size = options.batch_size;
  step.shard_rows = options.shard_rows;
  step.optimizer.kind = options.optimizer;
  step.optimizer.weight_decay = options.weight_decay;
  step.clip_norm = options.clip_norm;
  step.share_past = options.batching == Batching::sequences;
  return step;
}

}  // namespace recloom
