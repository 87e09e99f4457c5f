#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <filesystem>

#include "core/text.hpp"
#include "host/known_rows.hpp"
#include "host/metrics.hpp"
#include "host/recommender_impl.hpp"
#include "plugin/failure.hpp"

namespace recloom {
namespace {

/// A validation metric that is never computed could only be noticed after the first epoch.
void check_valid_metric(const RunConfig& config, const std::vector<NamedMetric>& metrics) {
  if (config.train.eval_every == 0) return;
  std::vector<std::string> keys;
  for (const NamedMetric& metric : metrics)
    for (std::string& key : metric_keys(metric, config.eval.topk)) keys.push_back(std::move(key));
  if (std::find(keys.begin(), keys.end(), config.train.valid_metric) == keys.end())
    throw ConfigError(
        fmt::format("train.valid_metric = \"{}\": must be one of {} (from eval.metrics "
                    "and eval.topk), for example --set train.valid_metric={}{}",
                    printable(config.train.valid_metric), fmt::join(keys, ", "), keys.front(),
                    did_you_mean(config.train.valid_metric, keys)));
}

std::string model_file_of(const std::string& file) {
  std::error_code none;
  const std::filesystem::path folder(file);
  if (!std::filesystem::is_directory(folder, none)) return file;
  const std::filesystem::path model = folder / "model.safetensors";
  if (!std::filesystem::exists(model, none) &&
      std::filesystem::exists(folder / "config.toml", none))
    throw IoError(fmt::format(
        "run folder {}: holds no model, its training is not finished; go on with it by recloom "
        "train --resume --run-dir {}",
        printable(file, 400), printable(file, 400)));
  return model.string();
}

std::vector<std::size_t> sizes_of_buffers(const SequentialRecommender& model) {
  std::vector<std::size_t> sizes;
  for (const auto& buffer : model.buffers())
    sizes.push_back(std::visit([](const auto* values) { return values->size(); }, buffer.values));
  return sizes;
}

/// A model file with such a buffer could not be read: it would show when the training is long over.
void require_constructed_sizes(const Model& model, const std::vector<std::size_t>& constructed) {
  const std::vector<std::size_t> now = sizes_of_buffers(*model);
  for (std::size_t index = 0; index < now.size(); ++index)
    if (index >= constructed.size() ||
        (constructed[index] != 0 && now[index] != constructed[index]))
      throw PluginError(fmt::format(
          "plugin '{}': buffer '{}' has {} values after fit() and had {} after construction: no "
          "model file could be read; leave it empty in the constructor or keep its size",
          model.plugin().name, printable(model->buffers()[index].name), now[index],
          index < constructed.size() ? fmt::to_string(constructed[index]) : "no place"));
}

/// @throws ConfigError if data.max_length is the reason why a model cannot be made: that of a
/// plugin speaks of tensors. Else as PluginRegistry::create().
Model create_model(const RunConfig& config, const Dataset& dataset, const PluginRegistry& plugins) {
  constexpr int kUsual = 1000;
  Catalogue catalogue = dataset.catalogue();
  try {
    return plugins.create(config.model, config.model_params, catalogue);
  } catch (const Error& error) {
    if (catalogue.max_length <= kUsual || error.kind() == ErrorKind::interrupted) throw;
    const std::exception_ptr first = std::current_exception();
    std::int64_t longest = 0;
    for (std::size_t user = 1; user < dataset.offsets().size() - 1; ++user)
      longest = std::max(longest, dataset.offsets()[user + 1] - dataset.offsets()[user]);
    catalogue.max_length = static_cast<int>(std::min<std::int64_t>(longest, kUsual));
    try {
      plugins.create(config.model, config.model_params, catalogue);
    } catch (const Error&) {
      std::rethrow_exception(first);
    }
    throw ConfigError(fmt::format(
        "data.max_length = {}: model {} would need more memory than it can have ({}); the longest "
        "history of this log has {} items: --set data.max_length={}",
        config.data.max_length, config.model, error.what(), longest - 1, catalogue.max_length));
  }
}

}  // namespace

void end_if_copied(pid_t before, const PluginInfo& plugin) {
  if (getpid() == before) return;
  log(LogLevel::info, fmt::format("recloom: plugin '{}' has copied the process by fork(): the copy "
                                  "ends here",
                                  plugin.name));
  _exit(4);
}

Recommender::Recommender(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Recommender::~Recommender() = default;
Recommender::Recommender(Recommender&&) noexcept = default;
Recommender& Recommender::operator=(Recommender&&) noexcept = default;

Recommender Recommender::create(const RunConfig& config, const Dataset& dataset,
                                const PluginRegistry& plugins) {
  const pid_t process = getpid();
  Model model = create_model(config, dataset, plugins);
  end_if_copied(process, model.plugin());
  const bool trains = naming(model.plugin(), [&] { return model->traits().gradients; });
  if (trains && dataset.valid().size() > 0)
    check_valid_metric(config, make_metrics(config.eval, plugins));
  ModelCard card{config.model, model.plugin().version,  dataset.catalogue(),
                 config,       dataset.hash(),          dataset.vocabulary(),
                 {},           no_trained_rows(dataset)};
  std::vector<std::size_t> sizes = sizes_of_buffers(*model);
  return Recommender(
      std::make_unique<Impl>(Impl{std::move(model), std::move(card), plugins, std::move(sizes)}));
}

Recommender Recommender::load(const std::string& file, const PluginRegistry& plugins) {
  const ModelFile stored(model_file_of(file));
  const ModelCard& card = stored.card();
  Model model = stored.make(plugins);
  std::vector<std::size_t> sizes = sizes_of_buffers(*model);
  naming(model.plugin(), [&] {
    stored.read_into(*model);
    if (auto* network = dynamic_cast<NetworkRecommender*>(&*model))
      network->set_convolution(card.config.train.convolution);
  });
  return Recommender(
      std::make_unique<Impl>(Impl{std::move(model), card, plugins, std::move(sizes)}));
}

TrainReport Recommender::train(const Dataset& dataset, RunContext& run,
                               const TrainCallbacks& callbacks, const std::string& checkpoint_file,
                               bool resume) {
  if (dataset.hash() != impl_->card.dataset_hash)
    throw ConfigError(fmt::format("the model was made for data set {}, not {}",
                                  impl_->card.dataset_hash, dataset.hash()));
  const RunConfig& config = impl_->card.config;
  if (run.seed() != config.seed)
    throw ConfigError(
        fmt::format("the run has seed {}, the configuration {}", run.seed(), config.seed));
  TrainJob job;
  job.train = config.train;
  job.eval = config.eval;
  job.metrics = make_metrics(config.eval, impl_->plugins);
  job.checkpoint_file = checkpoint_file;
  job.resume = resume;
  job.config = config.values();
  job.callbacks = callbacks;
  std::shared_ptr<NegativeSampler> sampler;
  if (config.train.loss != "CE")
    if (const auto own = sampler_plugin(config.train.sampler, impl_->plugins)) {
      sampler = own->create_sampler(config.train.sampler_params);
      job.sampler = sampler.get();
    }
  std::string log_hash = hash_of_log(dataset, run);
  const pid_t process = getpid();
  TrainReport report =
      naming(plugin(), [&] { return train_model(*impl_->model, dataset, job, run); });
  end_if_copied(process, plugin());
  require_constructed_sizes(impl_->model, impl_->constructed_sizes);
  impl_->card.trained = note_trained_rows(dataset, std::move(log_hash));
  return report;
}

EvaluationReport Recommender::evaluate(const Dataset& dataset, Part part,
                                       const EvalOptions& options, RunContext& run,
                                       const std::string& rows_file) const {
  const Batch all = part == Part::valid ? dataset.valid() : dataset.test();
  const Batch rows(all.events(), all.entries(), impl_->shown_length());
  const std::vector<NamedMetric> metrics = make_metrics(options, impl_->plugins);
  EvalContext context;
  context.catalogue = impl_->card.catalogue;
  context.rows_file = rows_file;
  const auto evaluated = [&](const Batch& seen) {
    return naming(plugin(), [&] {
      return recloom::evaluate(*impl_->model, seen, context, options, metrics, run);
    });
  };
  context.user_tokens = dataset.vocabulary().users();
  context.item_tokens = dataset.vocabulary().items();
  EvaluationReport report;
  if (dataset.hash() == impl_->card.dataset_hash) {
    context.train_counts = dataset.target_counts();
    context.all_counts = dataset.all_target_counts();
    report.result = evaluated(rows);
    return report;
  }
  const KnownRows known = translate_rows(dataset, rows, impl_->card.vocabulary);
  const TrainedRows& trained = impl_->card.trained;
  context.train_counts =
      trained.known ? std::span<const std::int64_t>(trained.counts) : known.target_counts;
  context.all_counts = known.all_target_counts;
  context.named_rows = &rows;
  context.lost_targets = known.lost_targets;
  report.result = evaluated(Batch(known.events, known.entries, impl_->shown_length()));
  report.unknown_history_items = known.unknown_history_items;
  report.unknown_users = known.unknown_users;
  report.knows_trained_rows = trained.known;
  const SeenRows seen =
      count_seen_rows(trained, dataset, rows, known.entries, impl_->card.vocabulary,
                      impl_->card.config.data.session_gap > 0, run);
  report.trained_rows = seen.trained;
  report.uncertain_rows = seen.uncertain;
  return report;
}

void Recommender::save(const std::string& file) const {
  write_model_file(file, impl_->card, *impl_->model);
}

const RunConfig& Recommender::config() const noexcept { return impl_->card.config; }
const PluginInfo& Recommender::plugin() const noexcept { return impl_->model.plugin(); }
const Vocabulary& Recommender::vocabulary() const noexcept { return impl_->card.vocabulary; }
const Catalogue& Recommender::catalogue() const noexcept { return impl_->card.catalogue; }
const std::string& Recommender::dataset_hash() const noexcept { return impl_->card.dataset_hash; }
bool Recommender::is_training_log(const Dataset& dataset) const {
  const ModelCard& card = impl_->card;
  if (dataset.hash() == card.dataset_hash) return true;
  if (!card.trained.known || card.trained.log_hash.empty()) return false;
  return hash_of_log(dataset, RunContext()) == card.trained.log_hash;
}
const std::map<std::string, double>& Recommender::metrics() const noexcept {
  return impl_->card.metrics;
}
void Recommender::set_metrics(std::map<std::string, double> metrics) {
  std::erase_if(metrics, [](const auto& metric) { return !std::isfinite(metric.second); });
  impl_->card.metrics = std::move(metrics);
}
const SequentialRecommender& Recommender::model() const noexcept { return *impl_->model; }

}  // namespace recloom
