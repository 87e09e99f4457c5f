#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nn/graph/graph.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/batch.hpp"
#include "recloom/nn/network_recommender.hpp"
#include "recloom/nn/optimizer_options.hpp"

namespace recloom::nn {

class Optimizer;

/// What decides a step beside the rows.
struct StepOptions {
  std::string loss = "CE";  ///< CE, BPR, BCE, gBCE, sampled_softmax
  LossReduction reduction = LossReduction::mean;
  int n_targets = 1;     ///< T of a row; a Batch may bring fewer, see Inputs::targets().
  int n_negatives = 1;   ///< Of a row; a Batch must bring them if the loss is not CE.
  double gbce_t = 0.75;  ///< gBCE, in [0, 1].
  /// sampled_softmax: ln of the probability that a negative is this item, up to a constant,
  /// [n_items]. Empty: all alike.
  std::vector<float> log_q;
  int batch_size = 2048;  ///< Largest batch.
  int shard_rows = 256;
  /// Let rows that stand one behind the other share what they have in common of their histories
  /// (causality.hpp). Dropout up to History::last is then drawn once for them.
  bool share_past = false;
  OptimizerOptions optimizer;
  double clip_norm = 0;  ///< 0: no clipping.
};

/// Keys of a step's random draws and of its messages.
struct StepKey {
  std::uint64_t seed = 1, epoch = 1;
  std::int64_t step = 0;
};

struct StepResult {
  double loss = 0;           ///< Mean over the rows (or their sum), without penalties.
  double penalty = 0;        ///< Sum of the penalty terms.
  double gradient_norm = 0;  ///< Of all gradients together, before clipping.
};

/// Runs training steps of a network: the five phases of docs/architecture.md. The bits of
/// everything it computes do not depend on the number of threads.
class RECLOOM_API TrainStep {
 public:
  /// Records the model's loss and plans its memory. @throws ModelError naming the op; also if
  /// share_past is asked for and impossible.
  TrainStep(NetworkRecommender& model, const StepOptions& options);
  ~TrainStep();
  /// Forward, backward, update. @throws NumericError before the update if the loss or a gradient is
  /// not finite, naming step, op, tensor and learning rate: the parameters are then still good.
  /// PluginError an op that throws, naming step and op; the parameters are as they were.
  StepResult run(const Batch& rows, const StepKey& key, double learning_rate, RunContext& context);
  /// The same without the update: gradients are left in gradient().
  StepResult compute_gradients(const Batch& rows, const StepKey& key, RunContext& context);
  std::span<const float> gradient(std::string_view parameter) const;
  Optimizer& optimizer() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Return what a network's loss is recorded with.
GraphSettings graph_settings(const NetworkRecommender& model, const StepOptions& options);

/// Say why StepOptions::share_past is impossible for a network, naming the op; "": it is possible.
RECLOOM_API std::string obstacle_to_sharing(const NetworkRecommender& model,
                                            const StepOptions& options);
/// Say whether a network has an op that NetworkRecommender::set_convolution() is about.
RECLOOM_API bool has_convolutions(const NetworkRecommender& model, const StepOptions& options);
/// Say which of these ops are computed by windows though it asks for another way, and why; "":
/// none.
RECLOOM_API std::string obstacle_to_convolution(const NetworkRecommender& model,
                                                const StepOptions& options);
/// Say why a short history is computed on all positions of L, naming the op; "": it is computed on
/// about as many as it has.
RECLOOM_API std::string obstacle_to_fewer_positions(const NetworkRecommender& model,
                                                    const StepOptions& options);

}  // namespace recloom::nn
