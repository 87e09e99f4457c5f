#pragma once
// The plugin under test, with what several checks need of it: made once, when first asked for.
#include <functional>
#include <map>
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

/// Where the plugin under test comes from.
struct Origin {
  const PluginRegistry& plugins;
  PluginInfo info;
  Params given;        ///< Parameters that take the place of their defaults.
  std::string folder;  ///< For files; empty at first.
};

/// What several checks stand on. A child process that dies in one leaves word for the next.
enum class Step : int { none, describe, test_values, make, train };
/// The check that reports it; "" of none and of test values, which are done without.
const char* check_of(Step step);

/// Reasons of the steps that came to nothing in an earlier process.
using Impossible = std::map<Step, std::string>;

/// Hears how far a check has come, for the case that it does not come to its end.
struct Listener {
  std::function<void(Step)> on_step;                ///< A step begins, or (none) has ended.
  std::function<void(const std::string&)> on_note;  ///< What comes next, where a check does much.
};

class Subject {
 public:
  Subject(const Origin& origin, Impossible impossible, Listener listener)
      : plugins_(origin.plugins),
        info_(origin.info),
        given_(origin.given),
        folder_(origin.folder),
        impossible_(std::move(impossible)),
        listener_(std::move(listener)) {}

  const PluginRegistry& plugins() const noexcept { return plugins_; }
  const PluginInfo& info() const noexcept { return info_; }
  /// @throws NotAvailable if describe() did not come back in an earlier process.
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
  std::string scratch_file(std::string_view name) const {
    return folder_ + "/" + std::string(name);
  }

  void note(const std::string& what) const { listener_.on_note(what); }

  /// Objects with base_params(). @throws NotAvailable if one cannot be made.
  std::shared_ptr<Metric> metric();
  std::shared_ptr<NegativeSampler> sampler();

 private:
  /// Do what the step is about. @throws NotAvailable for whatever goes wrong, now or earlier.
  template <class Body>
  auto run(Step step, Body body) -> decltype(body());

  const PluginRegistry& plugins_;
  PluginInfo info_;
  Params given_;
  std::string folder_;
  Impossible impossible_;
  Listener listener_;
  std::optional<std::vector<ParamInfo>> declared_;
  std::optional<Params> base_params_;
  std::optional<Dataset> datasets_[2];
  std::optional<Trained> trained_;
};

}  // namespace recloom::conformance
