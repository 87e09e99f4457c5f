#pragma once
#include "host/model_file.hpp"
#include "recloom/recloom.hpp"

namespace recloom {

struct Recommender::Impl {
  Model model;
  ModelCard card;
  const PluginRegistry& plugins;

  /// Return how many items of a history the model gets to see.
  int shown_length() const {
    return model->traits().whole_history ? Batch::kWholeHistory : card.catalogue.max_length;
  }
};

}  // namespace recloom
