#pragma once
// A golden file, and how its tensors are called by a plugin.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/safetensors.hpp"
#include "nn/step/train_step.hpp"
#include "recloom/config/param_schema.hpp"
#include "recloom/data/batch.hpp"

namespace recloom::nn {

/// One golden file: weights, one batch, and what the reference made of them. The original Caser
/// ("CaserPaper") is the plugin caser with other parameters; its users are counted from 0, so that
/// row 0 of our table of users is outside the comparison.
class GoldenCase {
 public:
  explicit GoldenCase(const std::string& file) : file_(file) {}

  const std::string& text(const std::string& key) const { return file_.metadata().at(key); }
  int number(const std::string& key) const { return std::stoi(text(key)); }
  int number_or(const std::string& key, int other) const {
    return file_.metadata().contains(key) ? number(key) : other;
  }
  bool has(const std::string& tensor) const { return file_.find(tensor) != nullptr; }
  template <class T>
  std::span<const T> values(const std::string& tensor) const {
    return file_.find(tensor)->as<T>();
  }
  const SafetensorsFile& file() const { return file_; }

  std::string plugin() const;
  Params params(const std::vector<ParamInfo>& declared) const;
  Catalogue catalogue() const;
  StepOptions step_options(std::size_t rows) const;
  /// What a parameter of the plugin is called in the file.
  std::string name_of(std::string_view parameter) const;
  /// The start values of a parameter, with a row of zeros in front where ours has one more.
  std::vector<float> start_values(std::string_view parameter, std::size_t count) const;

  /// |x - ref| <= tolerance, element by element.
  void expect_near(const std::string& tensor, std::span<const float> x) const;
  void expect_near(const std::string& tensor, double x, std::size_t e = 0) const;
  /// Of a parameter: tensor "<kind>.<its name>". @param scale of the reference.
  void expect_parameter(const std::string& kind, std::string_view parameter,
                        std::span<const float> x, double scale = 1) const;
  /// Whether the loss adds rows up, so that a batch of the same rows again has another.
  bool sums() const { return text("loss_type") == "paper"; }

 private:
  bool is_paper() const { return text("model") == "CaserPaper"; }

  SafetensorsFile file_;
};

/// A case's batch as the host would give it: events are each row's history, then its targets.
struct GoldenRows {
  GoldenRows(const GoldenCase& c, int repeats);
  Batch batch() const { return {events, entries, max_length, negatives}; }

  std::vector<ItemId> events, negatives;
  std::vector<Batch::Entry> entries;
  int max_length = 0;
};

}  // namespace recloom::nn
