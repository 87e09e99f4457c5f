#include "recloom/train/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "core/text.hpp"
#include "nn/step/train_step.hpp"
#include "recloom/core/error.hpp"
#include "recloom/eval/metric_keys.hpp"
#include "recloom/nn/network_recommender.hpp"
#include "train/epoch_loop.hpp"
#include "train/excluding_sampler.hpp"
#include "train/step_options.hpp"
#include "train/training_rows.hpp"

namespace recloom {
namespace {

/// Return the metric behind a flat key such as "ndcg@10".
/// @throws ConfigError if it is not among those that an evaluation computes.
const Metric& find_metric(const std::string& wanted, const TrainJob& job) {
  std::vector<std::string> keys;
  for (const NamedMetric& named : job.metrics)
    for (const std::string& key : metric_keys(named, job.eval.topk)) {
      keys.push_back(key);
      if (key == wanted) return *named.metric;
    }
  throw ConfigError(
      fmt::format("train.valid_metric = '{}' is not computed: eval.metrics and eval.topk give {}{}",
                  printable(wanted), fmt::join(keys, ", "), did_you_mean(wanted, keys)));
}

std::unique_ptr<NegativeSampler> make_builtin_sampler(const TrainOptions& options) {
  if (options.sampler == "uniform") return make_uniform_sampler();
  if (options.sampler == "popularity") return make_popularity_sampler(options.sampler_alpha);
  const std::vector<std::string> legal = builtin_sampler_names();
  throw ConfigError(
      fmt::format("train.sampler = '{}' is neither uniform, popularity nor a plugin{}",
                  printable(options.sampler), did_you_mean(options.sampler, legal)));
}

/// What sampled softmax takes off the scores; empty if the sampler draws all items alike.
std::vector<float> log_probabilities(const NegativeSampler& sampler, const TrainOptions& options,
                                     int n_items) {
  std::vector<float> log_q(static_cast<std::size_t>(n_items));
  if (!sampler.log_probabilities(log_q))
    throw ConfigError(
        fmt::format("train.loss = sampled_softmax needs to know how likely each item is drawn, "
                    "train.sampler = '{}' does not tell",
                    printable(options.sampler)));
  const bool alike = std::ranges::all_of(log_q, [&](float value) { return value == log_q[0]; });
  return alike ? std::vector<float>() : log_q;
}

FeedOptions feed_options(const TrainOptions& options, int max_length) {
  return {.batch_size = options.batch_size,
          .batching = options.batching,
          .run_rows = options.batching == Batching::sequences ? max_length : options.chunk_rows,
          .n_negatives = options.negatives_of_row()};
}

/// @throws ConfigError naming the model and the op that looks ahead.
void check_causal(const NetworkRecommender& model, const nn::StepOptions& step,
                  const Params& config) {
  const std::string obstacle = nn::obstacle_to_sharing(model, step);
  if (obstacle.empty()) return;
  const Value* value = config.find("model.name");
  const auto* name = value == nullptr ? nullptr : std::get_if<std::string>(value);
  throw ConfigError(
      fmt::format("train.batching = sequences does not fit {}: {} (legal: rows, chunks)",
                  name == nullptr ? "the model" : "model '" + *name + "'", obstacle));
}

/// fit() is all the training that a model without a loss gets.
TrainReport train_counter(SequentialRecommender& model, const TrainingData& data, RunContext& run) {
  const auto start = std::chrono::steady_clock::now();
  model.fit(data, run);
  run.check_stop();
  TrainReport report;
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  report.rows = report.rows_here = static_cast<std::int64_t>(data.rows().size());
  if (report.seconds > 0) {
    report.rows_per_second = static_cast<double>(report.rows_here) / report.seconds;
  }
  return report;
}

/// Return rows with as much of their histories as the model wants to see.
Batch as_seen_by(const SequentialRecommender& model, const Batch& rows) {
  return {rows.events(), rows.entries(),
          model.traits().whole_history ? Batch::kWholeHistory : rows.max_length()};
}

/// Return the function that evaluates on the validation part; empty if there is nothing to do.
std::function<std::map<std::string, double>(int)> make_validator(const SequentialRecommender& model,
                                                                 const Dataset& dataset,
                                                                 const TrainJob& job,
                                                                 RunContext& run) {
  const Batch rows = as_seen_by(model, dataset.valid());
  if (rows.size() == 0 || job.train.eval_every == 0) return {};
  return [&model, &dataset, &job, &run, rows](int epoch) {
    EvalContext context;
    context.catalogue = dataset.catalogue();
    context.train_counts = dataset.target_counts();
    context.all_counts = dataset.all_target_counts();
    context.epoch = static_cast<std::uint64_t>(epoch);
    return evaluate(model, rows, context, job.eval, job.metrics, run).values;
  };
}

/// The sampler that was asked for, with the conditions on what it draws.
class Negatives {
 public:
  Negatives(const Dataset& dataset, const TrainJob& job) {
    const TrainOptions& options = job.train;
    if (options.loss == "CE") return;
    if (job.sampler == nullptr) builtin_ = make_builtin_sampler(options);
    sampler_ = job.sampler != nullptr ? job.sampler : builtin_.get();
    const bool exclude = options.negatives_exclude == NegativesExclude::user;
    if (exclude) user_items_ = std::make_unique<UserItems>(dataset.train());
    if (exclude || options.distinct_negatives) {
      excluding_ = std::make_unique<ExcludingSampler>(
          *sampler_, user_items_.get(), options.distinct_negatives, [dataset](UserId user) {
            return printable(dataset.vocabulary().users()[static_cast<std::size_t>(user)]);
          });
      sampler_ = excluding_.get();
    }
    sampler_->prepare({dataset.catalogue(), dataset.all_target_counts()});
  }
  const NegativeSampler* sampler() const noexcept { return sampler_; }

 private:
  std::unique_ptr<NegativeSampler> builtin_, excluding_;
  std::unique_ptr<UserItems> user_items_;
  NegativeSampler* sampler_ = nullptr;
};

TrainReport train_network(NetworkRecommender& model, const Dataset& dataset, const TrainJob& job,
                          RunContext& run) {
  const TrainOptions& options = job.train;
  model.set_convolution(options.convolution);
  auto validate = make_validator(model, dataset, job, run);
  const bool higher_is_better =
      !validate || find_metric(options.valid_metric, job).higher_is_better();

  const Negatives negatives(dataset, job);
  run.check_stop();
  const Batch all = as_seen_by(model, dataset.train_rows());
  std::vector<Batch::Entry> made;
  const bool as_split = options.n_targets == 1 && options.rows == TrainRows::prefix;
  if (!as_split)
    made = training_rows(all, {options.rows, options.n_targets, dataset.catalogue().max_length});
  const Batch rows(all.events(), as_split ? all.entries() : std::span(std::as_const(made)),
                   all.max_length());
  RowFeed feed(rows, feed_options(options, model.max_length()), negatives.sampler());

  std::int64_t steps = options.epochs * feed.n_steps();
  if (options.max_steps > 0) steps = std::min<std::int64_t>(steps, options.max_steps);
  if (options.warmup_steps >= steps)
    run.warning(
        fmt::format("train.warmup_steps = {} is no less than the {} steps of the run: the learning "
                    "rate never reaches train.learning_rate = {}",
                    options.warmup_steps, steps, options.learning_rate));

  nn::StepOptions step = step_options(options);
  step.batch_size =
      static_cast<int>(std::min(rows.size(), static_cast<std::size_t>(options.batch_size)));
  if (options.loss == "sampled_softmax")
    step.log_q = log_probabilities(*negatives.sampler(), options, dataset.catalogue().n_items);
  if (step.share_past) check_causal(model, step, job.config);
  if (const std::string obstacle = nn::obstacle_to_convolution(model, step); !obstacle.empty())
    run.warning(fmt::format("train.convolution = taps: {}: computed by windows", obstacle));

  model.parameters().initialise(run.seed());
  run.check_stop();
  model.fit(dataset.train(), run);
  run.check_stop();
  const auto stepper = make_network_stepper(model, step);
  EpochLoop loop({.stepper = *stepper,
                  .feed = feed,
                  .options = options,
                  .callbacks = job.callbacks,
                  .identity = make_identity(job.config, options, run.seed(), dataset.hash()),
                  .checkpoint_file = job.checkpoint_file,
                  .validate = std::move(validate),
                  .higher_is_better = higher_is_better},
                 run);
  if (job.resume) loop.resume();
  return loop.run();
}

}  // namespace

std::vector<std::string> builtin_sampler_names() { return {"uniform", "popularity"}; }

TrainReport train_model(SequentialRecommender& model, const Dataset& dataset, const TrainJob& job,
                        RunContext& run) {
  job.train.validate();
  if (dataset.train_rows().size() == 0) {
    throw DataError("no training rows: every user has fewer than two events in the training part");
  }
  if (!model.traits().gradients) return train_counter(model, dataset.train(), run);
  auto* network = dynamic_cast<NetworkRecommender*>(&model);
  if (network == nullptr) {
    throw ModelError(
        "the model's traits say that it has gradients, but it is no NetworkRecommender");
  }
  return train_network(*network, dataset, job, run);
}

}  // namespace recloom
