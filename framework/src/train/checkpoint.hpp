#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/safetensors.hpp"
#include "recloom/config/params.hpp"
#include "recloom/core/export.hpp"
#include "recloom/train/options.hpp"
#include "recloom/train/report.hpp"
#include "train/stepper.hpp"

namespace recloom {

/// Where a run is and what it has found so far. Nothing in it depends on time or threads.
struct TrainState {
  int epoch = 1;                   ///< Being trained, or to be trained next.
  std::int64_t step_in_epoch = 0;  ///< Steps of it that are done.
  std::int64_t steps = 0;          ///< Of the whole run.
  std::int64_t rows = 0;           ///< Of the whole run.
  double loss_sum = 0;             ///< Over the epoch's rows so far.
  double penalty_sum = 0;          ///< The same.
  double learning_rate = 0;        ///< Of the last step.
  std::optional<int> best_epoch;
  double best_valid = 0;
  int failures = 0;  ///< Evaluations without improvement since best_epoch.
  std::vector<EpochReport> history;
};

/// Everything that decides the result up to a step, as text: config key -> value.
using RunIdentity = std::map<std::string, std::string>;

/// Return the config as identity, with seed and dataset, without the keys that only say how far to
/// go or how often to write (train.epochs, train.max_steps, train.checkpoint_minutes), or how much
/// may be read (data.max_events, data.max_text_gib). train.epochs stays where the learning rate
/// depends on it.
RECLOOM_API RunIdentity make_identity(const Params& config, const TrainOptions& options,
                                      std::uint64_t seed, const std::string& dataset_hash);

/// A training run at a step boundary, as one safetensors file: tensors "parameter.<name>",
/// "optimizer.<tensor>", "best.<name>"; state and identity as JSON in the metadata.
struct RECLOOM_API Checkpoint {
  TrainState state;
  RunIdentity identity;
  SafetensorsFile file;  ///< The tensors.

  /// @throws IoError missing, cut short, changed bytes, no checkpoint, or a field that is out of
  /// range or contradicts the history, by name.
  static Checkpoint read(const std::string& path);
  /// Return a tensor's values, all finite. @throws IoError if there is none of this name and shape.
  std::span<const float> tensor(const std::string& name,
                                const std::vector<std::int64_t>& shape) const;
  /// @throws IoError if there are tensors that neither parameters nor optimizer have.
  void check_complete(std::span<const StateTensor> parameters,
                      std::span<const StateTensor> optimizer) const;
  /// Throw the error that the file is damaged.
  [[noreturn]] void fail(std::string_view reason) const;

 private:
  Checkpoint(const std::string& path, SafetensorsFile opened);
  std::string path_;
};

/// Write atomically. @param best values of the best epoch in the order of `parameters`; empty:
/// none.
/// @throws IoError.
RECLOOM_API void write_checkpoint(const std::string& path, const TrainState& state,
                                  const RunIdentity& identity,
                                  std::span<const StateTensor> parameters,
                                  std::span<const StateTensor> optimizer,
                                  std::span<const std::vector<float>> best);

/// Check that a run may go on from a checkpoint: the same identity. Where no epoch is left of those
/// that are wanted now, it is at its end. @throws ConfigError naming what differs.
RECLOOM_API void check_resumable(const std::string& path, const Checkpoint& checkpoint,
                                 const RunIdentity& wanted);

}  // namespace recloom
