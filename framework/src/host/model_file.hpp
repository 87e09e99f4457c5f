#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "host/trained_rows.hpp"
#include "recloom/recloom.hpp"

namespace recloom {

/// All that a model file holds beside the tensors of the model: what it takes to make it again.
struct ModelCard {
  std::string plugin, plugin_version;
  Catalogue catalogue;
  RunConfig config;  ///< Without a data source.
  std::string dataset_hash;
  Vocabulary vocabulary;
  std::map<std::string, double> metrics;
  TrainedRows trained;
};

/// Write parameters, buffers, vocabulary and card as one safetensors file. The bytes depend on the
/// arguments alone: no paths, threads, hosts or times. Atomic. @throws IoError.
void write_model_file(const std::string& file, const ModelCard& card,
                      const SequentialRecommender& model);

/// An opened model file: first the card, with which the model is made, then its tensors. Nothing in
/// it is believed: numbers have ranges and agree with each other, tables with the bytes there are.
class ModelFile {
 public:
  /// @throws IoError missing, damaged, no model file, or written in a later format.
  explicit ModelFile(const std::string& file);
  ~ModelFile();
  const ModelCard& card() const noexcept;
  /// Make the model that the card describes. @throws IoError where the file's shapes or parameters
  /// are not the plugin's, before memory is taken for them; as PluginRegistry::create().
  Model make(const PluginRegistry& plugins) const;
  /// Fill parameters and buffers, and call after_load(). @throws IoError one that is missing, too
  /// many, of another size or not finite; what the plugin refuses, with its reason.
  void read_into(SequentialRecommender& model) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace recloom
