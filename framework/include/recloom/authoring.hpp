#pragma once
// For authors of plugins, beside the facade: begin a project, look at a network as it was recorded,
// see where the time of a training step goes.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/recloom.hpp"

namespace recloom {

/// What a new project may be: "network", "counter", "metric", "sampler".
RECLOOM_API const std::vector<std::string>& plugin_project_kinds();
/// Write a complete project into a new folder: CMakeLists.txt, the plugin, its test, README.md. It
/// builds against an installed recloom and passes its test as it is.
/// @param name of the plugin: a to z, 0 to 9 and _, a letter first. @param folder must not exist,
/// or be empty. @return the files, relative to the folder.
/// @throws ConfigError an unfit name or unknown kind; IoError a folder that holds something.
RECLOOM_API std::vector<std::string> write_plugin_project(const std::string& name,
                                                          std::string_view kind,
                                                          const std::string& folder);

/// What a network is recorded for.
enum class Recording : int {
  scoring,   ///< forward() alone.
  training,  ///< calculate_loss() with train.loss.
};
enum class GraphFormat : int {
  text,  ///< A table: node, op, shape, what it is computed from.
  dot,   ///< Graphviz: recloom ... | dot -Tsvg > graph.svg
};
/// Return the graph of a network as it was recorded. @throws ModelError a model that is none.
RECLOOM_API std::string dump_graph(const Recommender& recommender, Recording recording,
                                   GraphFormat format);

/// What a model says of itself, and what its graph says of it.
struct ModelFacts {
  Traits traits;
  bool is_network = false;
  std::string obstacle_to_sequences;  ///< Of a network: "" if train.batching = "sequences" fits.
  /// Of a network: "" if a history shorter than max_length costs no more positions than it has.
  std::string obstacle_to_fewer_positions;
};
/// Make a model with its defaults, for a small catalogue, and look at it.
/// @throws as PluginRegistry::create().
RECLOOM_API ModelFacts model_facts(const PluginRegistry& plugins, const std::string& name);

/// What one part of a training step costs, over all measured steps.
struct PartProfile {
  std::string name;        ///< Of the graph's node, or of a phase of the step.
  std::string op;          ///< "linear"; "" for a phase.
  std::string shape;       ///< Of one row; "" for a phase.
  std::int64_t calls = 0;  ///< Forward calls.
  double forward = 0;      ///< Seconds of processor time.
  double backward = 0;     ///< The same.
  double flops = 0;  ///< As the op states them (Op::flops), forward and backward; 0: not stated.
  double bytes_per_row = 0;  ///< Value, gradient and what is kept for backward.
  double seconds() const noexcept { return forward + backward; }
};
struct RECLOOM_API TrainingProfile {
  std::vector<PartProfile> parts;  ///< Largest time first.
  std::int64_t steps = 0, rows = 0;
  double seconds = 0;     ///< Processor time of all parts: of one thread.
  double peak_flops = 0;  ///< Multiply-adds of this core, in FLOP/s, measured before.
  std::string to_json() const;
};
/// Train an untrained recommender for some steps on one thread, and see where the time goes. The
/// first step is left out. Not while anything else trains in this process.
/// @param outer its stop request ends the training. @throws Interrupted; ModelError a model that is
/// no network; as Recommender::train().
RECLOOM_API TrainingProfile profile_training(Recommender& recommender, const Dataset& dataset,
                                             const RunContext& outer);

}  // namespace recloom
