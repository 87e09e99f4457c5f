#pragma once
// The plugin under test, with what several checks need of it: made once, when first asked for.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "recloom/recloom.hpp"
#include "testing/check.hpp"
#include "testing/toy_data.hpp"

namespace recloom::conformance {

/// One training of the suite.
struct Training {
  Params params = {};  ///< Of the plugin, over those that were given.
  int epochs = 2, threads = 1;
  bool single_item = false;  ///< On the log of one item, else on the planted one.
};

/// A model with the report of its training. The registry and the data outlive it.
struct Trained {
  Recommender recommender;
  TrainReport report;
  const SequentialRecommender& model() const { return recommender.model(); }
};

class Subject {
 public:
  /// @param given parameters that take the place of their defaults.
  Subject(const PluginRegistry& plugins, PluginInfo info, Params given)
      : plugins_(plugins), info_(std::move(info)), given_(std::move(given)) {}

  const PluginRegistry& plugins() const noexcept { return plugins_; }
  const PluginInfo& info() const noexcept { return info_; }
  const std::vector<ParamInfo>& declared();
  /// The first test value of every parameter that has some, or nothing if they do not fit together.
  const Params& base_params();
  static Catalogue catalogue() { return {.n_users = 9, .n_items = 13, .max_length = kLength}; }
  /// What was given, and `params` over it.
  Params with(const Params& params) const;
  /// Make an object of any kind with with(params), for what it throws.
  void construct(const Params& params);

  const Dataset& dataset(bool single_item = false);
  RunConfig config(const Training& training);
  Trained train(const Training& training);
  /// Train and return the bytes of the model file.
  std::string train_to_bytes(int threads);

  /// The model that most checks look at. @throws NotAvailable if it cannot be trained.
  const Trained& trained();
  const SequentialRecommender& model() { return trained().model(); }
  /// How much of a history the host shows to it.
  int shown_length();
  Rows probes() { return probe_rows(model().catalogue(), shown_length()); }
  std::string scratch_file(std::string_view name) { return folder_.file(name); }

  /// Objects with base_params(). @throws NotAvailable if one cannot be made.
  std::shared_ptr<Metric> metric();
  std::shared_ptr<NegativeSampler> sampler();

 private:
  template <class Make>
  auto needed(const char* check, Make make) -> decltype(make());

  const PluginRegistry& plugins_;
  PluginInfo info_;
  Params given_;
  ScratchFolder folder_;
  std::optional<std::vector<ParamInfo>> declared_;
  std::optional<Params> base_params_;
  std::optional<Dataset> datasets_[2];
  std::optional<Trained> trained_;
  std::string untrainable_;
};

/// The text of the exception that is being handled, with its kind where it is none of recloom's.
std::string current_problem();

}  // namespace recloom::conformance
