#pragma once
#include <unistd.h>

#include "host/model_file.hpp"
#include "recloom/recloom.hpp"

namespace recloom {

/// End this process if it is a copy that a plugin has made: it has no right to go on.
/// @param before the process's number before the plugin was called.
void end_if_copied(pid_t before, const PluginInfo& plugin);

struct Recommender::Impl {
  Model model;
  ModelCard card;
  const PluginRegistry& plugins;

  /// Sizes of the buffers as the constructor left them: what fit() makes of them must fit again.
  std::vector<std::size_t> constructed_sizes = {};

  /// Return how many items of a history the model gets to see.
  int shown_length() const {
    return model->traits().whole_history ? Batch::kWholeHistory : card.catalogue.max_length;
  }
};

}  // namespace recloom
