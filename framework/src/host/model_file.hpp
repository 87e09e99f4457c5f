#pragma once
#include <cstdint>
#include <map>
#include <string>

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
};

/// Write parameters, buffers, vocabulary and card as one safetensors file. The bytes depend on the
/// arguments alone: no paths, threads, hosts or times. Atomic. @throws IoError.
void write_model_file(const std::string& file, const ModelCard& card,
                      const SequentialRecommender& model);

/// An opened model file: first the card, with which the model is made, then its tensors.
class ModelFile {
 public:
  /// @throws IoError missing, damaged, no model file, or written in a later format.
  explicit ModelFile(const std::string& file);
  ~ModelFile();
  const ModelCard& card() const noexcept;
  /// Fill parameters and buffers. @throws IoError one that is missing or of another size.
  void read_into(SequentialRecommender& model) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace recloom
